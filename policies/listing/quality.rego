package listing

import data.reason

# METADATA
# title: Its quality is at least what its owner and the exchange demand
# description: >-
#   Scores an axis, in permille, by the suite that came with the file. Where a floor is declared, an axis that nobody
#   measured is below it.
# custom:
#   code: quality.floor
#   facts: [question.stage, manifest.quality, version.quality]
#   source: manifest quality, the suite's scores
#   law: [exchange.quality]
gates contains "quality.floor" if {
	every axis in quality_axes {
		good_enough(axis)
	}
}

# METADATA
# title: An axis scores below a floor
# description: The gate quality.floor does not hold.
# custom:
#   code: quality.below_floor
#   gate: quality.floor
#   facts: [manifest.quality, version.quality]
#   source: manifest quality, the suite's scores
#   law: [exchange.quality]
#   remedy: quality.raise
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	some axis in quality_axes
	score := quality_scored[axis]
	score < quality_demanded[axis]
	params := {"axis": axis, "permille": score, "floor": quality_demanded[axis], "whose": quality_demander(axis)}
}

# METADATA
# title: An axis that has a floor was not measured
# description: The gate quality.floor does not hold.
# custom:
#   code: quality.not_measured
#   gate: quality.floor
#   facts: [manifest.quality, version.quality]
#   source: manifest quality, the suite's scores
#   law: [exchange.quality]
#   remedy: quality.raise
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	input.stage == "version"
	some axis in quality_axes
	quality_demanded[axis] != 0
	not quality_scored[axis]
	params := {"axis": axis, "floor": quality_demanded[axis], "whose": quality_demander(axis)}
}

quality_axes := {"accurate", "complete", "clean", "live"}

good_enough(axis) if quality_demanded[axis] == 0

good_enough(axis) if quality_scored[axis] >= quality_demanded[axis]

quality_demanded[axis] := max({owners_floor(axis), exchanges_floor(axis)}) if some axis in quality_axes

owners_floor(axis) := permille_of(object.get(input.manifest, "quality", {}), axis)

exchanges_floor(axis) := permille_of(quality_floors, axis)

permille_of(floors, axis) := object.get(floors, concat("_", [axis, "permille"]), 0)

quality_scored[axis] := score if {
	some axis in quality_axes
	score := input.version.quality[concat("_", [axis, "permille"])]
	is_number(score)
}

# Of two the higher one: who can lower it is whom the owner has to ask.
default quality_demander(_) := "owner"

quality_demander(axis) := "exchange" if exchanges_floor(axis) >= owners_floor(axis)
