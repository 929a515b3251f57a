package access

import data.reason

# METADATA
# title: The agreement is of the caller's organisation
# description: No startup uses what another one agreed.
# custom:
#   code: agreement.own
#   facts: [agreement.startup_id, caller.organisation_id]
#   source: agreement.startup_id
#   law: [decree-169-2025.32-33]
gates contains "agreement.own" if {
	input.agreement.startup_id == input.caller.organisation_id
}

# METADATA
# title: The person is named in the agreement
# description: The owner accepted these people, not the whole organisation.
# custom:
#   code: agreement.named
#   facts: [agreement.people, caller.person_id]
#   source: agreement.people
#   law: [decree-169-2025.32-33]
gates contains "agreement.named" if {
	input.caller.person_id in input.agreement.people
}

# METADATA
# title: The agreement is about the dataset asked
# description: What was agreed for one dataset says nothing of another.
# custom:
#   code: agreement.dataset
#   facts: [agreement.dataset_id, dataset.id]
#   source: agreement.dataset_id
#   law: [decree-169-2025.32-33]
gates contains "agreement.dataset" if {
	input.agreement.dataset_id == input.dataset.id
}

# METADATA
# title: The agreement has begun
# description: Before its first day nothing is agreed yet.
# custom:
#   code: agreement.started
#   facts: [agreement.valid_from_ms, question.at_ms]
#   source: agreement.valid_from
#   law: [decree-169-2025.32-33]
gates contains "agreement.started" if {
	is_number(input.agreement.valid_from_ms)
	input.agreement.valid_from_ms <= input.at_ms
}

# METADATA
# title: The agreement has not expired
# description: The last instant is the one before its expiry.
# custom:
#   code: agreement.not_expired
#   facts: [agreement.expires_at_ms, question.at_ms]
#   source: agreement.expires_at
#   law: [decree-169-2025.32-33]
gates contains "agreement.not_expired" if {
	input.at_ms < input.agreement.expires_at_ms
}

# METADATA
# title: Neither side has ended the agreement
# description: Either side may end it at any time, and that bites on the next query.
# custom:
#   code: agreement.not_ended
#   facts: [agreement.ended]
#   source: agreement.ended_at
#   law: [decree-169-2025.32-33]
gates contains "agreement.not_ended" if input.agreement.ended == false

# METADATA
# title: The agreement is of another startup
# description: The gate agreement.own does not hold.
# custom:
#   code: agreement.other_startup
#   gate: agreement.own
#   facts: [agreement.startup_id, caller.organisation_id]
#   source: agreement.startup_id
#   law: [decree-169-2025.32-33]
#   remedy: agreement.choose
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_string(input.agreement.startup_id)
	input.agreement.startup_id != input.caller.organisation_id
}

# METADATA
# title: The person is not named in the agreement
# description: The gate agreement.named does not hold.
# custom:
#   code: agreement.not_named
#   gate: agreement.named
#   facts: [agreement.people, caller.person_id]
#   source: agreement.people
#   law: [decree-169-2025.32-33]
#   remedy: person.named
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_array(input.agreement.people)
	not input.caller.person_id in input.agreement.people
}

# METADATA
# title: The agreement is about another dataset
# description: The gate agreement.dataset does not hold.
# custom:
#   code: agreement.other_dataset
#   gate: agreement.dataset
#   facts: [agreement.dataset_id, dataset.id]
#   source: agreement.dataset_id
#   law: [decree-169-2025.32-33]
#   remedy: agreement.choose
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_string(input.agreement.dataset_id)
	input.agreement.dataset_id != input.dataset.id
}

# METADATA
# title: The agreement has not begun
# description: The gate agreement.started does not hold.
# custom:
#   code: agreement.not_started
#   gate: agreement.started
#   facts: [agreement.valid_from_ms, question.at_ms]
#   source: agreement.valid_from
#   law: [decree-169-2025.32-33]
#   remedy: wait
deny contains reason.denied(rego.metadata.rule().custom, {"valid_from_ms": input.agreement.valid_from_ms}) if {
	input.agreement.valid_from_ms > input.at_ms
}

# METADATA
# title: The agreement has expired
# description: The gate agreement.not_expired does not hold.
# custom:
#   code: agreement.expired
#   gate: agreement.not_expired
#   facts: [agreement.expires_at_ms, question.at_ms]
#   source: agreement.expires_at
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {"expires_at_ms": input.agreement.expires_at_ms}) if {
	is_number(input.agreement.expires_at_ms)
	input.at_ms >= input.agreement.expires_at_ms
}

# METADATA
# title: The agreement was ended
# description: The gate agreement.not_ended does not hold.
# custom:
#   code: agreement.ended
#   gate: agreement.not_ended
#   facts: [agreement.ended]
#   source: agreement.ended_at
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {}) if input.agreement.ended == true
