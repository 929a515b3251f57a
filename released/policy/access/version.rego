package access

import data.reason

# METADATA
# title: The version is listed
# description: Only the newest listed version can be queried.
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
gates contains "version.mode" if data.limits.modes[input.dataset.mode]

# METADATA
# title: Groups are at least as large as the floor
# description: Below the floor of the law in force, or of what was granted, a version is not anonymous enough.
# custom:
#   code: version.k
#   facts: [dataset.k, question.at_ms]
#   source: version.json k
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
gates contains "version.k" if {
	input.dataset.k >= k_floor
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
deny contains reason.denied(rego.metadata.rule().custom, {}) if input.dataset.listed == false

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
#   facts: [dataset.k, question.at_ms]
#   source: version.json k
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
#   remedy: owner.publish
deny contains reason.denied(rego.metadata.rule().custom, {"k": input.dataset.k, "floor": k_floor}) if {
	is_number(input.dataset.k)
	input.dataset.k < k_floor
}

k_floor := max({least} | {source.k_min | some source in granted})

least := anonymity.k_floor if input.dataset.mode != "dp"

# In dp mode noise hides a person, not a group, and a group that was granted would be hidden by nothing.
least := 0 if input.dataset.mode == "dp"
