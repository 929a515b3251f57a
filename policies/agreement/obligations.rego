package agreement

import data.condition
import data.meet
import data.reason

# METADATA
# title: What is granted
# description: The stricter on every axis of the version, the law in force, the application and the owner's limits.
# custom:
#   code: agreement.obligations
#   law: [personal-data-law-91-2025.14-6, decree-169-2025.32-33]
obligations := {
	"mode": input.dataset.mode,
	"columns": columns,
	"k_min": meet.largest(sources, "k_min"),
	"max_rows": meet.smallest(sources, "max_rows"),
	"max_bytes": meet.smallest(sources, "max_bytes"),
	"expires_at": meet.smallest(sources, "expires_at"),
	"recheck_after": input.at_ms + data.limits.decision_lifetime_ms,
	"consented_to": consented_to,
	"row_filter": row_filter,
	"state_class": state_class,
	"personal_class": personal_class,
}

default row_filter := []

row_filter := condition.filters(input.dataset.conditions, input.application.promises, input.application.purpose)

columns := [column | some column in input.dataset.columns; column in meet.columns(sources)]

default consented_to := null

consented_to := input.application.purpose if input.dataset.legal_basis in data.legal_bases.by_consent

granted := [input.application.limits]

sources := array.concat(granted, [
	{"mode": input.dataset.mode, "columns": input.dataset.columns, "k_min": input.dataset.k},
	data.limits.modes[input.dataset.mode],
	{"expires_at": input.application.expires_at_ms},
])

# METADATA
# title: Every obligation granted is one that the sandbox enforces
# description: An obligation nobody enforces would be a promise nobody keeps.
# custom:
#   code: obligations.known
#   facts: [application.limits]
#   source: the decision
#   law: [decree-169-2025.32-33]
gates contains "obligations.known" if {
	count(meet.unknown(granted)) == 0
}

# METADATA
# title: The limits fit the version
# description: A limit in another mode than the version has means nothing.
# custom:
#   code: obligations.agree
#   facts: [application.limits]
#   source: the decision
#   law: [decree-169-2025.32-33]
gates contains "obligations.agree" if {
	count(meet.conflicts(sources)) == 0
}

# METADATA
# title: An obligation is not known
# description: The gate obligations.known does not hold.
# custom:
#   code: obligations.unknown
#   gate: obligations.known
#   facts: [application.limits]
#   source: the decision
#   law: [decree-169-2025.32-33]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"axes": sort(meet.unknown(granted))}) if {
	count(meet.unknown(granted)) > 0
}

# METADATA
# title: The limits contradict the version
# description: The gate obligations.agree does not hold.
# custom:
#   code: obligations.conflict
#   gate: obligations.agree
#   facts: [application.limits]
#   source: the decision
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {"axes": sort(meet.conflicts(sources))}) if {
	count(meet.conflicts(sources)) > 0
}
