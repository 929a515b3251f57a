package agreement

import data.classes
import data.reason

# METADATA
# title: The version is listed
# description: Where nothing is listed there is nothing to agree on.
# custom:
#   code: version.listed
#   facts: [dataset.listed, dataset.version_id]
#   source: dataset.current_version_id
#   law: [data-law-60-2024.42]
gates contains "version.listed" if {
	input.dataset.listed == true
	is_string(input.dataset.version_id)
}

# METADATA
# title: The mode is one that this policy has limits for
# description: A mode without limits has no obligations, so nothing may leave.
# custom:
#   code: version.mode
#   facts: [dataset.mode]
#   source: version.json mode
#   law: [data-law-60-2024.42]
gates contains "version.mode" if {
	data.limits.modes[input.dataset.mode]
}

# METADATA
# title: Groups are at least as large as the floor
# description: Of the law in force, and of what the owner grants.
# custom:
#   code: version.k
#   facts: [dataset.k, application.limits]
#   source: version.json k
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
gates contains "version.k" if {
	input.dataset.k >= k_floor
}

# METADATA
# title: The legal basis is one that the law knows
# description: Whether people consented is asked of every query.
# custom:
#   code: basis.lawful
#   facts: [dataset.legal_basis]
#   source: version.json legal_basis
#   law: [data-law-60-2024.42]
gates contains "basis.lawful" if {
	input.dataset.legal_basis in array.concat(data.legal_bases.by_consent, data.legal_bases.others)
}

# METADATA
# title: The class of the version may be let out in its mode
# description: Computed from the columns granted and how many people they tell of.
# custom:
#   code: class.ceiling
#   facts: [dataset.persons, dataset.columns, dataset.basic_columns, dataset.sensitive_columns]
#   source: version.json persons and columns
#   law: [decree-165-2025.ceiling, decision-20-2025.classes]
gates contains "class.ceiling" if {
	classes.at_most(state_class, highest[input.dataset.mode])
}

# METADATA
# title: No version is listed
# description: The gate version.listed does not hold.
# custom:
#   code: version.not_listed
#   gate: version.listed
#   facts: [dataset.listed, dataset.version_id]
#   source: dataset.current_version_id
#   law: [data-law-60-2024.42]
#   remedy: owner.publish
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	input.dataset.listed == false
}

# METADATA
# title: The mode has no limits here
# description: The gate version.mode does not hold.
# custom:
#   code: version.mode_unknown
#   gate: version.mode
#   facts: [dataset.mode]
#   source: version.json mode
#   law: [data-law-60-2024.42]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"mode": input.dataset.mode}) if {
	is_string(input.dataset.mode)
	not data.limits.modes[input.dataset.mode]
}

# METADATA
# title: Groups are smaller than the floor
# description: The gate version.k does not hold.
# custom:
#   code: version.k_below_floor
#   gate: version.k
#   facts: [dataset.k, application.limits]
#   source: version.json k
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
#   remedy: owner.publish
deny contains reason.denied(rego.metadata.rule().custom, {"k": input.dataset.k, "floor": k_floor}) if {
	is_number(input.dataset.k)
	input.dataset.k < k_floor
}

# METADATA
# title: The legal basis is not known
# description: The gate basis.lawful does not hold.
# custom:
#   code: basis.unknown
#   gate: basis.lawful
#   facts: [dataset.legal_basis]
#   source: version.json legal_basis
#   law: [data-law-60-2024.42]
#   remedy: owner.publish
deny contains reason.denied(rego.metadata.rule().custom, {"basis": input.dataset.legal_basis}) if {
	is_string(input.dataset.legal_basis)
	not input.dataset.legal_basis in data.legal_bases.by_consent
	not input.dataset.legal_basis in data.legal_bases.others
}

# METADATA
# title: The class of the version is too high for its mode
# description: The gate class.ceiling does not hold.
# custom:
#   code: class.over_ceiling
#   gate: class.ceiling
#   facts: [dataset.persons, dataset.columns, dataset.basic_columns, dataset.sensitive_columns]
#   source: version.json persons and columns
#   law: [decree-165-2025.ceiling, decision-20-2025.classes]
#   remedy: columns.drop
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	classes.higher(state_class, highest[input.dataset.mode])
	params := {"class": state_class, "mode": input.dataset.mode, "highest": highest[input.dataset.mode]}
}

k_floor := max(array.concat([least], [source.k_min | some source in granted]))

state_class := classes.state(shown, thresholds)

personal_class := classes.personal(shown)

shown := {
	"disclosed": input.dataset.legal_basis == "public",
	"basic": basic,
	"sensitive": sensitive,
	"persons": input.dataset.persons,
}

default basic := false

basic if {
	some column in columns
	column in input.dataset.basic_columns
}

default sensitive := false

sensitive if {
	some column in columns
	column in input.dataset.sensitive_columns
}

least := anonymity.k_floor if input.dataset.mode != "dp"

# In dp mode noise hides a person, not a group, and a group that was granted would be hidden by nothing.
least := 0 if input.dataset.mode == "dp"
