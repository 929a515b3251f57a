package agreement

import data.purpose
import data.reason

# METADATA
# title: The purpose is one of those that may be agreed
# description: Also a group of them; resale and re-identification are never a purpose.
# custom:
#   code: purpose.known
#   facts: [application.purpose]
#   source: application.purpose
#   law: [personal-data-law-91-2025.7]
gates contains "purpose.known" if {
	data.purposes.known[input.application.purpose]
}

# METADATA
# title: The purpose is a group of those that may be agreed
# description: Research covers health research.
# custom:
#   code: purpose.known
#   facts: [application.purpose]
#   source: application.purpose
#   law: [personal-data-law-91-2025.7]
gates contains "purpose.known" if {
	data.purposes.groups[input.application.purpose]
}

# METADATA
# title: The version allows the purpose
# description: The owner names the purposes at publication.
# custom:
#   code: purpose.allowed
#   facts: [application.purpose, dataset.purposes]
#   source: version.json purposes
#   law: [decree-356-2025.consent]
gates contains "purpose.allowed" if {
	covers == "yes"
}

# METADATA
# title: The owner will judge the purpose
# description: Purposes that are only akin to those allowed may be applied for.
# custom:
#   code: purpose.allowed
#   facts: [application.purpose, dataset.purposes, question.stage]
#   source: version.json purposes
#   law: [decree-356-2025.consent]
gates contains "purpose.allowed" if {
	covers == "person"
	input.stage == "apply"
}

# METADATA
# title: The owner judged the purpose and says yes
# description: A person had to judge, and did.
# custom:
#   code: purpose.allowed
#   facts: [application.purpose, application.purpose_judged, dataset.purposes, question.stage]
#   source: the decision
#   law: [decree-356-2025.consent]
gates contains "purpose.allowed" if {
	covers == "person"
	input.application.purpose_judged == true
}

covers := purpose.match(input.application.purpose, input.dataset.purposes)

# METADATA
# title: The purpose is not known
# description: The gate purpose.known does not hold.
# custom:
#   code: purpose.unknown
#   gate: purpose.known
#   facts: [application.purpose]
#   source: application.purpose
#   law: [personal-data-law-91-2025.7]
#   remedy: purpose.choose
deny contains reason.denied(rego.metadata.rule().custom, {"purpose": input.application.purpose}) if {
	is_string(input.application.purpose)
	not data.purposes.known[input.application.purpose]
	not data.purposes.groups[input.application.purpose]
	not data.purposes.never[input.application.purpose]
}

# METADATA
# title: The purpose is never allowed
# description: The gate purpose.known does not hold.
# custom:
#   code: purpose.never
#   gate: purpose.known
#   facts: [application.purpose]
#   source: application.purpose
#   law: [personal-data-law-91-2025.7]
#   remedy: purpose.choose
deny contains reason.denied(rego.metadata.rule().custom, {"purpose": input.application.purpose}) if {
	data.purposes.never[input.application.purpose]
}

# METADATA
# title: The version does not allow the purpose
# description: The gate purpose.allowed does not hold.
# custom:
#   code: purpose.not_allowed
#   gate: purpose.allowed
#   facts: [application.purpose, dataset.purposes]
#   source: version.json purposes
#   law: [decree-356-2025.consent]
#   remedy: purpose.choose
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	is_string(input.application.purpose)
	is_array(input.dataset.purposes)
	covers == "no"
	params := {"purpose": input.application.purpose, "allowed": input.dataset.purposes}
}

# METADATA
# title: The owner has not judged a purpose that is only akin
# description: The gate purpose.allowed does not hold.
# custom:
#   code: purpose.needs_person
#   gate: purpose.allowed
#   facts: [application.purpose, application.purpose_judged, dataset.purposes, question.stage]
#   source: the decision
#   law: [decree-356-2025.consent]
#   remedy: owner.judge
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	covers == "person"
	input.stage == "accept"
	input.application.purpose_judged == false
	params := {"purpose": input.application.purpose, "allowed": input.dataset.purposes}
}

# METADATA
# title: The owner will have to judge a purpose that is only akin
# description: Said to both sides; the application may be made.
# custom:
#   code: purpose.needs_person
#   gate: purpose.allowed
#   facts: [application.purpose, dataset.purposes, question.stage]
#   source: version.json purposes
#   law: [decree-356-2025.consent]
#   remedy: owner.judge
told contains reason.warned(rego.metadata.rule().custom, params) if {
	covers == "person"
	input.stage == "apply"
	params := {"purpose": input.application.purpose, "allowed": input.dataset.purposes}
}
