package access

import data.condition
import data.reason

# METADATA
# title: Every condition of the owner is met
# description: Conditions of the newest version, against what the agreement says; DUO modifiers.
# custom:
#   code: conditions.met
#   facts:
#     - dataset.conditions
#     - dataset.columns
#     - agreement.promises
#     - agreement.people
#     - agreement.valid_from_ms
#     - caller.organisation_slug
#   source: version.json conditions; agreement
#   law: [decree-169-2025.32-33]
gates contains "conditions.met" if {
	asked := input.dataset.conditions
	is_object(asked)
	is_number(input.agreement.valid_from_ms)
	is_array(input.agreement.people)
	is_object(input.agreement.promises)
	condition.duration(asked, input.agreement.valid_from_ms, input.at_ms + 1)
	condition.users(asked, input.agreement.people)
	condition.institution(asked, slug)
	condition.place(asked, input.agreement.promises)
	condition.ethics(asked, input.agreement.promises)
	condition.results(asked, input.agreement.promises)
	condition.records(asked)
	condition.records(input.agreement.promises)
	condition.there(input.agreement.promises, input.dataset.columns)
}

# METADATA
# title: The time that the owner allows is over
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.time_limit
#   gate: conditions.met
#   facts: [dataset.conditions, agreement.valid_from_ms]
#   source: version.json conditions; agreement
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {"days": input.dataset.conditions.time_limit_days}) if {
	is_number(input.agreement.valid_from_ms)
	not condition.duration(input.dataset.conditions, input.agreement.valid_from_ms, input.at_ms + 1)
}

# METADATA
# title: More people are named than the owner approves
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.users
#   gate: conditions.met
#   facts: [dataset.conditions, agreement.people]
#   source: version.json conditions; agreement
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {"most": input.dataset.conditions.approved_users_max}) if {
	is_array(input.agreement.people)
	not condition.users(input.dataset.conditions, input.agreement.people)
}

# METADATA
# title: The organisation is none of those that the owner names
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.institution
#   gate: conditions.met
#   facts: [dataset.conditions, caller.organisation_slug]
#   source: version.json conditions; agreement
#   law: [decree-169-2025.32-33]
#   remedy: owner.judge
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	not condition.institution(input.dataset.conditions, slug)
}

# METADATA
# title: The work is done elsewhere than the owner allows
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.place
#   gate: conditions.met
#   facts: [dataset.conditions, agreement.promises]
#   source: version.json conditions; agreement
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {"places": input.dataset.conditions.places}) if {
	is_object(input.agreement.promises)
	not condition.place(input.dataset.conditions, input.agreement.promises)
}

# METADATA
# title: No ethics approval was given
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.ethics
#   gate: conditions.met
#   facts: [dataset.conditions, agreement.promises]
#   source: version.json conditions; agreement
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_object(input.agreement.promises)
	not condition.ethics(input.dataset.conditions, input.agreement.promises)
}

# METADATA
# title: What the owner says of the records is not understood
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.records
#   gate: conditions.met
#   facts: [dataset.conditions]
#   source: version.json conditions
#   law: [decree-169-2025.32-33]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_object(input.dataset.conditions)
	not condition.records(input.dataset.conditions)
}

# METADATA
# title: The records agreed on cannot be told apart in this version
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.promised_records
#   gate: conditions.met
#   facts: [agreement.promises, dataset.columns]
#   source: agreement; version.json
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_object(input.agreement.promises)
	is_array(input.dataset.columns)
	not chosen
}

# METADATA
# title: The results are not promised back
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.results
#   gate: conditions.met
#   facts: [dataset.conditions, agreement.promises]
#   source: version.json conditions; agreement
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_object(input.agreement.promises)
	not condition.results(input.dataset.conditions, input.agreement.promises)
}

slug := object.get(input.caller, "organisation_slug", null)

chosen if {
	condition.records(input.agreement.promises)
	condition.there(input.agreement.promises, input.dataset.columns)
}
