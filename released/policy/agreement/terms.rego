package agreement

import data.reason

day_ms := 86400000

# METADATA
# title: Everybody named is an active person of the applicant's organisation
# description: At least one; the owner accepts these people, not the whole organisation.
# custom:
#   code: people.active
#   facts: [application.people, application.active_people]
#   source: application.people; person.deactivated_at
#   law: [decree-69-2024.accounts]
gates contains "people.active" if {
	count(input.application.people) > 0
	every person in input.application.people {
		person in input.application.active_people
	}
}

# METADATA
# title: Not more people are named than an agreement may hold
# description: What everybody may ask is not agreed with persons any more.
# custom:
#   code: people.few
#   facts: [application.people]
#   source: application.people
#   law: [exchange.agreement]
gates contains "people.few" if {
	count(input.application.people) <= bounds.people_max
}

# METADATA
# title: It lasts as long as asked at most, and as an agreement may
# description: From one day on; the owner may choose an earlier end.
# custom:
#   code: duration.allowed
#   facts: [application.duration_days, application.expires_at_ms, question.at_ms]
#   source: application.duration_days; the decision
#   law: [exchange.agreement]
gates contains "duration.allowed" if {
	input.application.duration_days <= bounds.days_max
	input.at_ms < input.application.expires_at_ms
	input.application.expires_at_ms <= latest_ms
}

latest_ms := input.at_ms + (input.application.duration_days * day_ms)

# METADATA
# title: Nobody is named
# description: The gate people.active does not hold.
# custom:
#   code: people.none
#   gate: people.active
#   facts: [application.people]
#   source: application.people
#   law: [decree-69-2024.accounts]
#   remedy: people.name
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	input.application.people == []
}

# METADATA
# title: Somebody named is no active person of the organisation
# description: The gate people.active does not hold.
# custom:
#   code: people.inactive
#   gate: people.active
#   facts: [application.people, application.active_people]
#   source: application.people; person.deactivated_at
#   law: [decree-69-2024.accounts]
#   remedy: people.name
deny contains reason.denied(rego.metadata.rule().custom, {"count": count(strangers)}) if {
	is_array(input.application.active_people)
	strangers := [person | some person in input.application.people; not person in input.application.active_people]
	count(strangers) > 0
}

# METADATA
# title: Too many people are named
# description: The gate people.few does not hold.
# custom:
#   code: people.too_many
#   gate: people.few
#   facts: [application.people]
#   source: application.people
#   law: [exchange.agreement]
#   remedy: people.name
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	count(input.application.people) > bounds.people_max
	params := {"have": count(input.application.people), "most": bounds.people_max}
}

# METADATA
# title: It lasts shorter or longer than an agreement may
# description: The gate duration.allowed does not hold.
# custom:
#   code: duration.out_of_bounds
#   gate: duration.allowed
#   facts: [application.duration_days]
#   source: application.duration_days
#   law: [exchange.agreement]
#   remedy: duration.shorten
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	is_number(input.application.duration_days)
	some wrong in [input.application.duration_days < 1, input.application.duration_days > bounds.days_max]
	wrong
	params := {"days": input.application.duration_days, "most": bounds.days_max}
}

# METADATA
# title: It ends in the past, or later than was asked
# description: The gate duration.allowed does not hold.
# custom:
#   code: duration.not_asked
#   gate: duration.allowed
#   facts: [application.duration_days, application.expires_at_ms, question.at_ms]
#   source: the decision
#   law: [exchange.agreement]
#   remedy: duration.shorten
deny contains reason.denied(rego.metadata.rule().custom, {"latest_ms": latest_ms}) if {
	is_number(input.application.expires_at_ms)
	some wrong in [input.application.expires_at_ms <= input.at_ms, input.application.expires_at_ms > latest_ms]
	wrong
}
