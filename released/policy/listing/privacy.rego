package listing

import data.fact
import data.reason

# METADATA
# title: Privacy is not what this mode spends
# description: Only dp mode has a budget; in the others whole cohorts hide a person.
# custom:
#   code: privacy.bounded
#   facts: [manifest.mode]
#   source: manifest mode
#   law: [exchange.privacy]
gates contains "privacy.bounded" if {
	is_string(input.manifest.mode)
	input.manifest.mode != "dp"
}

# METADATA
# title: What a lineage in dp mode may ever tell of one person is below the ceiling
# description: The budget of all agreements together, each one's share of it, and a delta below one in all persons.
# custom:
#   code: privacy.bounded
#   facts: [manifest.privacy]
#   source: manifest privacy
#   law: [exchange.privacy, personal-data-law-91-2025.14-6]
gates contains "privacy.bounded" if {
	privacy_known
	declared.rho_cap_micro <= ceiling.rho_cap_micro
	declared.rho_agreement_micro <= declared.rho_cap_micro
	declared.delta * declared.persons_at_most < 1
}

# METADATA
# title: In dp mode noise hides a person, not a group
# description: The files hold persons; nothing but noisy figures leaves, under a budget that is bounded.
# custom:
#   code: anonymity.measured
#   facts: [manifest.mode]
#   source: manifest mode
#   law: [exchange.privacy, personal-data-law-91-2025.14-6]
gates contains "anonymity.measured" if input.manifest.mode == "dp"

# METADATA
# title: The privacy budget is not declared
# description: The gate privacy.bounded does not hold.
# custom:
#   code: privacy.missing
#   gate: privacy.bounded
#   facts: [manifest.privacy]
#   source: manifest privacy
#   law: [exchange.privacy]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"fact": "manifest.privacy"}) if {
	input.manifest.mode == "dp"
	not privacy_known
}

# METADATA
# title: The privacy budget is over the ceiling
# description: The gate privacy.bounded does not hold.
# custom:
#   code: privacy.over_ceiling
#   gate: privacy.bounded
#   facts: [manifest.privacy]
#   source: manifest privacy
#   law: [exchange.privacy, personal-data-law-91-2025.14-6]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	privacy_known
	declared.rho_cap_micro > ceiling.rho_cap_micro
	params := {"rho_cap_micro": declared.rho_cap_micro, "ceiling_micro": ceiling.rho_cap_micro}
}

# METADATA
# title: One agreement would get more than all together may
# description: The gate privacy.bounded does not hold.
# custom:
#   code: privacy.over_cap
#   gate: privacy.bounded
#   facts: [manifest.privacy]
#   source: manifest privacy
#   law: [exchange.privacy]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	privacy_known
	declared.rho_agreement_micro > declared.rho_cap_micro
	params := {"rho_agreement_micro": declared.rho_agreement_micro, "rho_cap_micro": declared.rho_cap_micro}
}

# METADATA
# title: Delta is so large that somebody may be told of outright
# description: The gate privacy.bounded does not hold.
# custom:
#   code: privacy.delta
#   gate: privacy.bounded
#   facts: [manifest.privacy]
#   source: manifest privacy
#   law: [exchange.privacy]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"persons_at_most": declared.persons_at_most}) if {
	privacy_known
	declared.delta * declared.persons_at_most >= 1
}

declared := input.manifest.privacy

privacy_known if {
	input.manifest.mode == "dp"
	every name in ["rho_cap_micro", "rho_agreement_micro", "persons_at_most", "delta"] {
		fact.amount(object.get(declared, name, null))
	}
}
