package listing

import data.lawbook
import data.reason

# METADATA
# title: The legal basis is one that the law knows
# description: Consent, law, public data or contract.
# custom:
#   code: basis.lawful
#   facts: [manifest.legal_basis]
#   source: manifest legal_basis
#   law: [data-law-60-2024.42]
gates contains "basis.lawful" if {
	input.manifest.legal_basis in array.concat(data.legal_bases.by_consent, data.legal_bases.others)
}

# METADATA
# title: The law of the basis is configured and in force
# description: The basis is recorded with the id of its law.
# custom:
#   code: basis.in_force
#   facts: [manifest.law, question.at_ms]
#   source: manifest legal_basis.law
#   law: [data-law-60-2024.42]
gates contains "basis.in_force" if {
	lawbook.known(input.manifest.law, input.at_ms)
}

# METADATA
# title: The basis is not consent
# description: Law, public data and contract need no consent of each person.
# custom:
#   code: basis.consented
#   facts: [manifest.legal_basis]
#   source: manifest legal_basis
#   law: [data-law-60-2024.42]
gates contains "basis.consented" if {
	is_string(input.manifest.legal_basis)
	not by_consent
}

# METADATA
# title: The basis is consent, and some cohort consented to a purpose
# description: Second no-trade class, personal data without consent.
# custom:
#   code: basis.consented
#   facts: [manifest.legal_basis, version.consented_purposes]
#   source: version.json parts' consent
#   law: [decree-356-2025.consent]
gates contains "basis.consented" if {
	by_consent
	count(input.version.consented_purposes) > 0
}

# METADATA
# title: The legal basis is not known
# description: The gate basis.lawful does not hold.
# custom:
#   code: basis.unknown
#   gate: basis.lawful
#   facts: [manifest.legal_basis]
#   source: manifest legal_basis
#   law: [data-law-60-2024.42]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"basis": input.manifest.legal_basis}) if {
	is_string(input.manifest.legal_basis)
	not input.manifest.legal_basis in array.concat(data.legal_bases.by_consent, data.legal_bases.others)
}

# METADATA
# title: The law of the basis is not configured, or not in force
# description: The gate basis.in_force does not hold.
# custom:
#   code: basis.law_unknown
#   gate: basis.in_force
#   facts: [manifest.law, question.at_ms]
#   source: manifest legal_basis.law
#   law: [data-law-60-2024.42]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"id": input.manifest.law}) if {
	is_string(input.manifest.law)
	not lawbook.known(input.manifest.law, input.at_ms)
}

# METADATA
# title: Nobody consented to any purpose
# description: The gate basis.consented does not hold.
# custom:
#   code: basis.nobody_consented
#   gate: basis.consented
#   facts: [manifest.legal_basis, version.consented_purposes]
#   source: version.json parts' consent
#   law: [decree-356-2025.consent]
#   remedy: consent.collect
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	by_consent
	input.version.consented_purposes == []
}

by_consent if input.manifest.legal_basis in data.legal_bases.by_consent
