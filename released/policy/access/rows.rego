package access

import data.fact
import data.reason

# METADATA
# title: Records are not what this mode lets out
# description: Only rows mode has a budget of records; the others let out figures, of whole cohorts or with noise.
# custom:
#   code: rows.budget
#   facts: [dataset.mode]
#   source: version.json mode
#   law: [personal-data-law-91-2025.14-6]
gates contains "rows.budget" if input.dataset.mode in {"aggregate", "dp"}

# METADATA
# title: The agreement has records left
# description: An agreement takes out a few times the version and no more, so nobody copies it out.
# custom:
#   code: rows.budget
#   facts: [request.rows_cap, request.rows_released]
#   source: agreement_meter
#   law: [data-law-60-2024.42]
gates contains "rows.budget" if rows_left > 0

rows_left := input.request.rows_cap - input.request.rows_released if {
	input.dataset.mode == "rows"
	fact.amount(input.request.rows_cap)
	fact.amount(input.request.rows_released)
}

# METADATA
# title: The agreement has no records left
# description: The gate rows.budget does not hold.
# custom:
#   code: rows.cap_reached
#   gate: rows.budget
#   facts: [request.rows_cap, request.rows_released]
#   source: agreement_meter
#   law: [data-law-60-2024.42]
#   remedy: apply.anew
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	rows_left <= 0
	params := {"cap": input.request.rows_cap, "released": input.request.rows_released}
}

# METADATA
# title: It is not known how many records are left
# description: In rows mode the cap and the count so far must be known.
# custom:
#   code: rows.missing
#   gate: rows.budget
#   facts: [request.rows_cap, request.rows_released]
#   source: agreement_meter
#   law: [data-law-60-2024.42]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"fact": concat(".", ["request", name])}) if {
	input.dataset.mode == "rows"
	some name in ["rows_cap", "rows_released"]
	not fact.amount(object.get(input, ["request", name], null))
}
