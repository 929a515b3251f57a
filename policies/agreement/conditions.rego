package agreement

import data.condition
import data.reason

# METADATA
# title: Every condition of the owner is met
# description: By what the startup promises; DUO modifiers.
# custom:
#   code: conditions.met
#   facts: [dataset.conditions, dataset.columns, application.promises, application.people, application.expires_at_ms]
#   source: version.json conditions; the application
#   law: [decree-169-2025.32-33]
gates contains "conditions.met" if {
	asked := input.dataset.conditions
	is_object(asked)
	is_array(input.application.people)
	is_object(input.application.promises)
	condition.duration(asked, input.at_ms, input.application.expires_at_ms)
	condition.users(asked, input.application.people)
	condition.institution(asked, slug)
	condition.place(asked, input.application.promises)
	condition.ethics(asked, input.application.promises)
	condition.results(asked, input.application.promises)
	condition.records(asked)
	condition.records(input.application.promises)
	condition.there(input.application.promises, input.dataset.columns)
}

slug := object.get(input.applicant, "organisation_slug", null)

# METADATA
# title: It lasts longer than the owner allows
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.time_limit
#   gate: conditions.met
#   facts: [dataset.conditions, application.expires_at_ms]
#   source: version.json conditions; the application
#   law: [decree-169-2025.32-33]
#   remedy: duration.shorten
deny contains reason.denied(rego.metadata.rule().custom, {"days": input.dataset.conditions.time_limit_days}) if {
	not condition.duration(input.dataset.conditions, input.at_ms, input.application.expires_at_ms)
}

# METADATA
# title: More people are named than the owner approves
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.users
#   gate: conditions.met
#   facts: [dataset.conditions, application.people]
#   source: version.json conditions; the application
#   law: [decree-169-2025.32-33]
#   remedy: people.name
deny contains reason.denied(rego.metadata.rule().custom, {"most": input.dataset.conditions.approved_users_max}) if {
	is_array(input.application.people)
	not condition.users(input.dataset.conditions, input.application.people)
}

# METADATA
# title: The organisation is none of those that the owner names
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.institution
#   gate: conditions.met
#   facts: [dataset.conditions, applicant.organisation_slug]
#   source: version.json conditions; the application
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
#   facts: [dataset.conditions, application.promises]
#   source: version.json conditions; the application
#   law: [decree-169-2025.32-33]
#   remedy: condition.meet
deny contains reason.denied(rego.metadata.rule().custom, {"places": input.dataset.conditions.places}) if {
	is_object(input.application.promises)
	not condition.place(input.dataset.conditions, input.application.promises)
}

# METADATA
# title: No ethics approval was given
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.ethics
#   gate: conditions.met
#   facts: [dataset.conditions, application.promises]
#   source: version.json conditions; the application
#   law: [decree-169-2025.32-33]
#   remedy: condition.meet
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_object(input.application.promises)
	not condition.ethics(input.dataset.conditions, input.application.promises)
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
#   facts: [application.promises, dataset.columns]
#   source: the application; version.json
#   law: [decree-169-2025.32-33]
#   remedy: condition.meet
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_object(input.application.promises)
	is_array(input.dataset.columns)
	not chosen
}

# METADATA
# title: The results are not promised back
# description: The gate conditions.met does not hold.
# custom:
#   code: condition.results
#   gate: conditions.met
#   facts: [dataset.conditions, application.promises]
#   source: version.json conditions; the application
#   law: [decree-169-2025.32-33]
#   remedy: condition.meet
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_object(input.application.promises)
	not condition.results(input.dataset.conditions, input.application.promises)
}

chosen if {
	condition.records(input.application.promises)
	condition.there(input.application.promises, input.dataset.columns)
}
