package access

import data.classes
import data.fact
import data.reason

# METADATA
# title: The class of what is read may be let out in this mode
# description: Computed from the columns read, how many people they tell of, and the other datasets of the query.
# custom:
#   code: class.ceiling
#   facts: [question.at_ms, dataset.mode, dataset.persons, dataset.basic_columns,
#     dataset.sensitive_columns, request.columns, request.beside]
#   source: version.json persons and columns
#   law: [decree-165-2025.ceiling, decision-20-2025.classes]
gates contains "class.ceiling" if {
	fact.texts(input.dataset.basic_columns)
	fact.texts(input.dataset.sensitive_columns)
	is_array(input.request.columns)
	classes.at_most(state_class, highest[input.dataset.mode])
}

# METADATA
# title: The class of what is read is too high for this mode
# description: The gate class.ceiling does not hold.
# custom:
#   code: class.over_ceiling
#   gate: class.ceiling
#   facts: [question.at_ms, dataset.mode, dataset.persons, dataset.basic_columns,
#     dataset.sensitive_columns, request.columns, request.beside]
#   source: version.json persons and columns
#   law: [decree-165-2025.ceiling, decision-20-2025.classes]
#   remedy: columns.drop
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	classes.higher(state_class, highest[input.dataset.mode])
	params := {"class": state_class, "mode": input.dataset.mode, "highest": highest[input.dataset.mode]}
}

# METADATA
# title: What is read is of a higher class than was listed
# description: A combination, or a threshold that changed since; the owner is alarmed.
# custom:
#   code: class.raised
#   gate: class.ceiling
#   facts: [dataset.state_class]
#   source: dataset.state_class
#   law: [decision-20-2025.classes]
#   remedy: owner.publish
told contains reason.warned(rego.metadata.rule().custom, {"from": input.dataset.state_class, "to": state_class}) if {
	classes.higher(state_class, input.dataset.state_class)
}

state_class := classes.state(shown, thresholds)

personal_class := classes.personal(shown)

shown := {
	"disclosed": disclosed,
	"basic": basic,
	"sensitive": sensitive,
	"persons": input.dataset.persons + sum([other.persons | some other in input.request.beside]),
}

default disclosed := false

disclosed if {
	input.dataset.legal_basis == "public"
	every other in input.request.beside {
		other.disclosed
	}
}

default basic := false

basic if {
	some column in input.request.columns
	column in input.dataset.basic_columns
}

basic if {
	some other in input.request.beside
	other.basic
}

default sensitive := false

sensitive if {
	some column in input.request.columns
	column in input.dataset.sensitive_columns
}

sensitive if {
	some other in input.request.beside
	other.sensitive
}
