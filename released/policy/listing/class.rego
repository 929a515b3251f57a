package listing

import data.classes
import data.reason

# METADATA
# title: The class of the version may be sold in its mode
# description: Computed from the columns and how many people they tell of.
# custom:
#   code: class.ceiling
#   facts: [version.persons, manifest.columns, manifest.legal_basis]
#   source: version.json persons and columns
#   law: [decree-165-2025.ceiling, decision-20-2025.classes]
gates contains "class.ceiling" if {
	classes.at_most(state_class, highest[input.manifest.mode])
}

# METADATA
# title: The class of the version is too high for its mode
# description: The gate class.ceiling does not hold.
# custom:
#   code: class.over_ceiling
#   gate: class.ceiling
#   facts: [version.persons, manifest.columns, manifest.legal_basis]
#   source: version.json persons and columns
#   law: [decree-165-2025.ceiling, decision-20-2025.classes]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	classes.higher(state_class, highest[input.manifest.mode])
	params := {"class": state_class, "mode": input.manifest.mode, "highest": highest[input.manifest.mode]}
}

# METADATA
# title: The version is of a higher class than the one before
# description: The owner is alarmed, for what it sells is to be handled as the higher class from now on.
# custom:
#   code: class.raised
#   gate: class.ceiling
#   facts: [version.persons, manifest.columns, manifest.legal_basis, previous, previous.state_class]
#   source: dataset_version.body state_class
#   law: [decision-20-2025.classes]
#   remedy: owner.handle
told contains reason.warned(rego.metadata.rule().custom, {"from": input.previous.state_class, "to": state_class}) if {
	classes.higher(state_class, input.previous.state_class)
}

# METADATA
# title: The version is more personal than the one before
# description: The owner is alarmed, for what it sells is to be handled as the higher class from now on.
# custom:
#   code: class.more_personal
#   gate: class.ceiling
#   facts: [version.persons, manifest.columns, manifest.legal_basis, previous, previous.personal_class]
#   source: dataset_version.body personal_class
#   law: [decision-20-2025.classes]
#   remedy: owner.handle
told contains reason.warned(rego.metadata.rule().custom, params) if {
	classes.more_personal(personal_class, input.previous.personal_class)
	params := {"from": input.previous.personal_class, "to": personal_class}
}

default state_class := null

state_class := classes.state(shown, thresholds)

personal_class := classes.personal(kinds)

kinds := {"basic": "basic" in personal, "sensitive": "sensitive" in personal}

shown := object.union(kinds, {
	"disclosed": input.manifest.legal_basis == "public",
	"persons": input.version.persons,
})

personal contains column.personal if some column in input.manifest.columns
