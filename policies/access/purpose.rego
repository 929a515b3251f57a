package access

import data.reason

# METADATA
# title: The purpose is one of those that may be asked for
# description: Resale and re-identification are never a purpose.
# custom:
#   code: purpose.known
#   facts: [request.purpose]
#   source: the request
#   law: [personal-data-law-91-2025.7]
gates contains "purpose.known" if input.request.purpose in data.purposes.known

# METADATA
# title: The purpose is the one agreed
# description: Consent and agreement are per purpose.
# custom:
#   code: purpose.agreed
#   facts: [agreement.purpose, request.purpose]
#   source: agreement.purpose
#   law: [decree-356-2025.consent]
gates contains "purpose.agreed" if {
	is_string(input.agreement.purpose)
	input.request.purpose == input.agreement.purpose
}

# METADATA
# title: The version allows the purpose
# description: The owner names the purposes at publication.
# custom:
#   code: purpose.allowed
#   facts: [dataset.purposes, request.purpose]
#   source: version.json purposes
#   law: [decree-356-2025.consent]
gates contains "purpose.allowed" if input.request.purpose in input.dataset.purposes

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
	is_string(input.request.purpose)
	not input.request.purpose in data.purposes.known
	not input.request.purpose in data.purposes.never
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
	input.request.purpose in data.purposes.never
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
	input.request.purpose != input.agreement.purpose
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
	is_string(input.request.purpose)
	is_array(input.dataset.purposes)
	not input.request.purpose in input.dataset.purposes
	params := {"purpose": input.request.purpose, "allowed": input.dataset.purposes}
}
