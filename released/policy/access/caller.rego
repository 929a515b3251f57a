package access

import data.reason

# METADATA
# title: The question is of the form this policy knows
# description: A question of another form could mean another thing by the same name.
# custom:
#   code: question.schema
#   facts: [question.schema]
#   source: policies.decision.Question
#   law: [data-law-60-2024.42]
gates contains "question.schema" if input.schema == "access/1"

# METADATA
# title: The person who asks is active
# description: A person who left their organisation asks nothing.
# custom:
#   code: caller.active
#   facts: [caller.active]
#   source: person.deactivated_at
#   law: [decree-69-2024.accounts]
gates contains "caller.active" if input.caller.active == true

# METADATA
# title: The organisation that asks is a startup
# description: Only a startup can be the buying side of an agreement.
# custom:
#   code: caller.startup
#   facts: [caller.organisation_kind]
#   source: the caller's organisation
#   law: [decree-169-2025.32-33]
gates contains "caller.startup" if input.caller.organisation_kind == "startup"

# METADATA
# title: The organisation is not suspended
# description: A suspended organisation neither asks nor pays.
# custom:
#   code: caller.not_suspended
#   facts: [caller.organisation_suspended]
#   source: organisation.suspended_at
#   law: [data-law-60-2024.42]
gates contains "caller.not_suspended" if input.caller.organisation_suspended == false

# METADATA
# title: The question is of another form
# description: The gate question.schema does not hold.
# custom:
#   code: question.unknown_schema
#   gate: question.schema
#   facts: [question.schema]
#   source: policies.decision.Question
#   law: [data-law-60-2024.42]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"schema": input.schema}) if {
	input.schema != "access/1"
}

# METADATA
# title: The person who asks is not active
# description: The gate caller.active does not hold.
# custom:
#   code: caller.inactive
#   gate: caller.active
#   facts: [caller.active]
#   source: person.deactivated_at
#   law: [decree-69-2024.accounts]
#   remedy: account.activate
deny contains reason.denied(rego.metadata.rule().custom, {}) if input.caller.active == false

# METADATA
# title: The organisation that asks is not a startup
# description: The gate caller.startup does not hold.
# custom:
#   code: caller.not_startup
#   gate: caller.startup
#   facts: [caller.organisation_kind]
#   source: the caller's organisation
#   law: [decree-169-2025.32-33]
#   remedy: account.startup
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_string(input.caller.organisation_kind)
	input.caller.organisation_kind != "startup"
}

# METADATA
# title: The organisation is suspended
# description: The gate caller.not_suspended does not hold.
# custom:
#   code: organisation.suspended
#   gate: caller.not_suspended
#   facts: [caller.organisation_suspended]
#   source: organisation.suspended_at
#   law: [data-law-60-2024.42]
#   remedy: organisation.restore
deny contains reason.denied(rego.metadata.rule().custom, {}) if input.caller.organisation_suspended == true
