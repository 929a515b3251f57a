package access

import data.fact
import data.reason

# METADATA
# title: The legal basis is not consent, and is one that the law knows
# description: Law, public data and contract need no consent of each person.
# custom:
#   code: basis.lawful
#   facts: [dataset.legal_basis]
#   source: version.json legal_basis
#   law: [data-law-60-2024.42]
gates contains "basis.lawful" if input.dataset.legal_basis in data.legal_bases.others

# METADATA
# title: The basis is consent, and some cohort consented to this purpose
# description: Only cohorts that consented may be read; the obligation consented_to tells the sandbox.
# custom:
#   code: basis.lawful
#   facts: [dataset.legal_basis, dataset.consented_purposes, request.purpose]
#   source: version.json parts' consent
#   law: [decree-356-2025.consent]
gates contains "basis.lawful" if {
	by_consent
	input.request.purpose in input.dataset.consented_purposes
}

by_consent if input.dataset.legal_basis in data.legal_bases.by_consent

# METADATA
# title: The legal basis is not known
# description: A basis that the law does not know is no basis.
# custom:
#   code: basis.unknown
#   gate: basis.lawful
#   facts: [dataset.legal_basis]
#   source: version.json legal_basis
#   law: [data-law-60-2024.42]
#   remedy: owner.publish
deny contains reason.denied(rego.metadata.rule().custom, {"basis": input.dataset.legal_basis}) if {
	is_string(input.dataset.legal_basis)
	not by_consent
	not input.dataset.legal_basis in data.legal_bases.others
}

# METADATA
# title: Nobody consented to the purpose
# description: The version holds no cohort whose consent covers the purpose.
# custom:
#   code: consent.none
#   gate: basis.lawful
#   facts: [dataset.consented_purposes, request.purpose]
#   source: version.json parts' consent
#   law: [decree-356-2025.consent]
#   remedy: purpose.choose
deny contains reason.denied(rego.metadata.rule().custom, {"purpose": input.request.purpose}) if {
	by_consent
	is_array(input.dataset.consented_purposes)
	not input.request.purpose in input.dataset.consented_purposes
}

# METADATA
# title: It is not known who consented
# description: The basis is consent, and the purposes consented to are absent.
# custom:
#   code: consent.missing
#   gate: basis.lawful
#   facts: [dataset.consented_purposes]
#   source: version.json parts' consent
#   law: [decree-356-2025.consent]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"fact": "dataset.consented_purposes"}) if {
	by_consent
	not fact.texts(object.get(input, ["dataset", "consented_purposes"], null))
}
