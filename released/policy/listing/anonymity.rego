package listing

import data.reason

# METADATA
# title: The mode is one that this policy has limits for
# description: A mode without limits has no obligations, so nothing may leave.
# custom:
#   code: mode.known
#   facts: [manifest.mode]
#   source: manifest mode
#   law: [data-law-60-2024.42]
gates contains "mode.known" if {
	data.limits.modes[input.manifest.mode]
}

# METADATA
# title: The owner asks of itself at least the floor
# description: k persons alike at least, and l different values.
# custom:
#   code: anonymity.asked
#   facts: [manifest.k, manifest.l]
#   source: manifest k, l
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
gates contains "anonymity.asked" if {
	input.manifest.k >= anonymity.k_floor
	input.manifest.l >= anonymity.l_floor
}

# METADATA
# title: The finished files are as anonymous as the floor, and as was promised
# description: Measured in a jail of its own, on what would be sold; worst class.
# custom:
#   code: anonymity.measured
#   facts: [question.stage, version.measured_k, version.measured_l, manifest.k, manifest.columns]
#   source: version.json measured
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
gates contains "anonymity.measured" if {
	input.version.measured_k >= max({anonymity.k_floor, input.manifest.k})
	various_enough
}

# METADATA
# title: It is known of which manifest the version was made
# description: De-identification has to be audited, so its recipe is kept by hash.
# custom:
#   code: evidence.kept
#   facts: [version.manifest_sha256]
#   source: version.json manifest_sha256
#   law: [personal-data-law-91-2025.14-6]
gates contains "evidence.kept" if {
	count(input.version.manifest_sha256) == 64
}

# METADATA
# title: The mode has no limits here
# description: The gate mode.known does not hold.
# custom:
#   code: mode.unknown
#   gate: mode.known
#   facts: [manifest.mode]
#   source: manifest mode
#   law: [data-law-60-2024.42]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"mode": input.manifest.mode}) if {
	is_string(input.manifest.mode)
	not data.limits.modes[input.manifest.mode]
}

# METADATA
# title: The owner asks for a smaller k than the floor
# description: The gate anonymity.asked does not hold.
# custom:
#   code: anonymity.k_asked
#   gate: anonymity.asked
#   facts: [manifest.k]
#   source: manifest k
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"k": input.manifest.k, "floor": anonymity.k_floor}) if {
	is_number(input.manifest.k)
	input.manifest.k < anonymity.k_floor
}

# METADATA
# title: The owner asks for a smaller l than the floor
# description: The gate anonymity.asked does not hold.
# custom:
#   code: anonymity.l_asked
#   gate: anonymity.asked
#   facts: [manifest.l]
#   source: manifest l
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"l": input.manifest.l, "floor": anonymity.l_floor}) if {
	is_number(input.manifest.l)
	input.manifest.l < anonymity.l_floor
}

# METADATA
# title: Measured groups are smaller than the floor or than promised
# description: The gate anonymity.measured does not hold.
# custom:
#   code: anonymity.k_measured
#   gate: anonymity.measured
#   facts: [version.measured_k, manifest.k]
#   source: version.json measured
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	input.manifest.mode != "dp"
	is_number(input.version.measured_k)
	input.version.measured_k < max({anonymity.k_floor, input.manifest.k})
	params := {"k": input.version.measured_k, "floor": max({anonymity.k_floor, input.manifest.k})}
}

# METADATA
# title: Sensitive values of a group are less various than the floor
# description: The gate anonymity.measured does not hold.
# custom:
#   code: anonymity.l_measured
#   gate: anonymity.measured
#   facts: [version.measured_l, manifest.columns]
#   source: version.json measured
#   law: [exchange.anonymity, personal-data-law-91-2025.14-6]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	input.manifest.mode != "dp"
	input.stage == "version"
	not various_enough
	params := {"l": object.get(input.version, "measured_l", null), "floor": anonymity.l_floor}
}

# METADATA
# title: It is not known of which manifest the version was made
# description: The gate evidence.kept does not hold.
# custom:
#   code: evidence.missing
#   gate: evidence.kept
#   facts: [version.manifest_sha256]
#   source: version.json manifest_sha256
#   law: [personal-data-law-91-2025.14-6]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"fact": "version.manifest_sha256"}) if {
	count(input.version.manifest_sha256) != 64
}

sensitive := [column.name | some column in input.manifest.columns; column.role == "sensitive"]

various_enough if count(sensitive) == 0

various_enough if input.version.measured_l >= anonymity.l_floor
