package access

import data.purpose
import data.reason

# METADATA
# title: The purpose is one of those that may be asked for
# description: Resale and re-identification are never a purpose.
# custom:
#   code: purpose.known
#   facts: [request.purpose]
#   source: the request
#   law: [personal-data-law-91-2025.7]
gates contains "purpose.known" if data.purposes.known[input.request.purpose]

# METADATA
# title: The purpose is the one agreed, or within it
# description: Consent and agreement are per purpose; research covers research.health.
# custom:
#   code: purpose.agreed
#   facts: [agreement.purpose, request.purpose]
#   source: agreement.purpose
#   law: [decree-356-2025.consent]
gates contains "purpose.agreed" if {
	agreed == "yes"
}

# METADATA
# title: The version allows the purpose
# description: The owner names the purposes at publication.
# custom:
#   code: purpose.allowed
#   facts: [dataset.purposes, request.purpose]
#   source: version.json purposes
#   law: [decree-356-2025.consent]
gates contains "purpose.allowed" if allowed == "yes"

# METADATA
# title: The owner judged the purpose and said yes
# description: The version allows akin purposes only, so a person had to judge, and did.
# custom:
#   code: purpose.allowed
#   facts: [agreement.purpose_judged, dataset.purposes, request.purpose]
#   source: agreement.purpose_judged
#   law: [decree-356-2025.consent]
gates contains "purpose.allowed" if {
	allowed == "person"
	input.agreement.purpose_judged == true
}

agreed := purpose.match(input.request.purpose, [input.agreement.purpose])

allowed := purpose.match(input.request.purpose, input.dataset.purposes)

# METADATA
# title: The purpose is not known
# description: The gate purpose.known does not hold.
# custom:
#   code: purpose.unknown
#   gate: purpose.known
#   facts: [request.purpose]
#   source: the request
#   law: [personal-data-law-91-2025.7]
#   remedy: purpose.choose
deny contains reason.denied(rego.metadata.rule().custom, {"purpose": input.request.purpose}) if {
	not data.purposes.known[input.request.purpose]
	not data.purposes.never[input.request.purpose]
}

# METADATA
# title: The purpose is never allowed
# description: Resale and re-identification are banned in every agreement.
# custom:
#   code: purpose.never
#   gate: purpose.known
#   facts: [request.purpose]
#   source: the request
#   law: [personal-data-law-91-2025.7]
#   remedy: purpose.choose
deny contains reason.denied(rego.metadata.rule().custom, {"purpose": input.request.purpose}) if {
	data.purposes.never[input.request.purpose]
}

# METADATA
# title: The purpose is not the one agreed
# description: The gate purpose.agreed does not hold.
# custom:
#   code: purpose.not_agreed
#   gate: purpose.agreed
#   facts: [agreement.purpose, request.purpose]
#   source: agreement.purpose
#   law: [decree-356-2025.consent]
#   remedy: purpose.choose
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	is_string(input.agreement.purpose)
	agreed != "yes"
	params := {"purpose": input.request.purpose, "agreed": input.agreement.purpose}
}

# METADATA
# title: The version does not allow the purpose
# description: The gate purpose.allowed does not hold.
# custom:
#   code: purpose.not_allowed
#   gate: purpose.allowed
#   facts: [dataset.purposes, request.purpose]
#   source: version.json purposes
#   law: [decree-356-2025.consent]
#   remedy: purpose.choose
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	is_array(input.dataset.purposes)
	allowed == "no"
	params := {"purpose": input.request.purpose, "allowed": input.dataset.purposes}
}

# METADATA
# title: A person has to judge the purpose
# description: The version allows only purposes that are akin to it, and the owner has not judged.
# custom:
#   code: purpose.needs_person
#   gate: purpose.allowed
#   facts: [agreement.purpose_judged, dataset.purposes, request.purpose]
#   source: agreement.purpose_judged
#   law: [decree-356-2025.consent]
#   remedy: owner.judge
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	allowed == "person"
	object.get(input.agreement, "purpose_judged", null) != true
	params := {"purpose": input.request.purpose, "allowed": input.dataset.purposes}
}
