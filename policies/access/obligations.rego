package access

import data.condition
import data.meet
import data.reason

# METADATA
# title: What the sandbox still owes
# description: >-
#   The stricter on every axis of the version, the law in force, the agreement, the request, the owner's
#   conditions, what was granted, and the other datasets of the query.
# custom:
#   code: access.obligations
#   law: [personal-data-law-91-2025.14-6, decree-356-2025.consent]
obligations := object.union(owed, private)

owed := {
	"mode": input.dataset.mode,
	"columns": [column | some column in input.request.columns; agreed_columns[column]],
	"k_min": meet.largest(sources, "k_min"),
	"max_rows": meet.smallest(sources, "max_rows"),
	"max_bytes": meet.smallest(sources, "max_bytes"),
	"expires_at": expires_at,
	"recheck_after": min({expires_at, meet.smallest(sources, "recheck_after")}),
	"consented_to": consented_to,
	"row_filter": row_filter,
	"state_class": state_class,
	"personal_class": personal_class,
}

default row_filter := []

row_filter := condition.filters(input.dataset.conditions, input.agreement.promises, input.request.purpose)

expires_at := meet.smallest(sources, "expires_at")

default consented_to := null

consented_to := input.request.purpose if by_consent

granted := array.concat([input.agreement.limits], [source |
	some other in input.request.beside
	source := {axis: value | some axis, value in other.obligations; said(axis, value)}
])

# Columns are each dataset's own, classes are computed anew, and null says nothing.
said(axis, value) if {
	value != null
	not axis in {"columns", "row_filter", "state_class", "personal_class"}
}

said("row_filter", value) if count(value) > 0

sources := array.concat(granted, [source | some source in own])

own contains {"mode": input.dataset.mode, "k_min": input.dataset.k}

own contains {
	"max_rows": data.limits.modes[input.dataset.mode].max_rows,
	"max_bytes": data.limits.modes[input.dataset.mode].max_bytes,
	"recheck_after": input.at_ms + data.limits.decision_lifetime_ms,
}

own contains {"expires_at": input.agreement.expires_at_ms}

own contains {"expires_at": condition.end_ms(input.dataset.conditions, input.agreement.valid_from_ms)}

own contains {"max_rows": rows_left}

own contains {"consented_to": consented_to} if by_consent

# METADATA
# title: Every obligation granted is one that the sandbox enforces
# description: An obligation nobody enforces would be a promise nobody keeps.
# custom:
#   code: obligations.known
#   facts: [agreement.limits, request.beside]
#   source: agreement.limits
#   law: [decree-169-2025.32-33]
gates contains "obligations.known" if {
	all_said
	count(meet.unknown(granted)) == 0
}

# METADATA
# title: All datasets of a query are in one mode and used by one consent
# description: Sources that say different things on such an axis have no meet.
# custom:
#   code: obligations.agree
#   facts: [agreement.limits, request.beside]
#   source: agreement.limits
#   law: [decree-169-2025.32-33]
gates contains "obligations.agree" if {
	all_said
	count(meet.conflicts(sources)) == 0
}

# METADATA
# title: What was granted has not expired
# description: The agreement's own expiry and the owner's time limit are gates of their own.
# custom:
#   code: obligations.not_expired
#   facts: [agreement.limits, request.beside, question.at_ms]
#   source: agreement.limits
#   law: [decree-169-2025.32-33]
gates contains "obligations.not_expired" if {
	all_said
	every source in granted {
		in_time(source)
	}
}

# METADATA
# title: An obligation is not known
# description: The gate obligations.known does not hold; every such obligation is named.
# custom:
#   code: obligations.unknown
#   gate: obligations.known
#   facts: [agreement.limits, request.beside]
#   source: agreement.limits
#   law: [decree-169-2025.32-33]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"axes": sort(meet.unknown(granted))}) if {
	count(meet.unknown(granted)) > 0
}

# METADATA
# title: Obligations contradict each other
# description: The gate obligations.agree does not hold.
# custom:
#   code: obligations.conflict
#   gate: obligations.agree
#   facts: [agreement.limits, request.beside]
#   source: agreement.limits
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {"axes": sort(meet.conflicts(sources))}) if {
	count(meet.conflicts(sources)) > 0
}

# METADATA
# title: What was granted has expired
# description: The gate obligations.not_expired does not hold.
# custom:
#   code: obligations.expired
#   gate: obligations.not_expired
#   facts: [agreement.limits, request.beside, question.at_ms]
#   source: agreement.limits
#   law: [decree-169-2025.32-33]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, {"expires_at_ms": meet.smallest(granted, "expires_at")}) if {
	input.at_ms >= meet.smallest(granted, "expires_at")
}

all_said if is_object(input.agreement.limits)

in_time(source) if not source.expires_at

in_time(source) if input.at_ms < source.expires_at
