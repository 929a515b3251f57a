package access

# METADATA
# title: What the sandbox still owes
# description: >-
#   Columns agreed and asked; k; the smaller of the mode's limit and the records left; consent; an expiry.
#   An obligation that the sandbox does not know makes the decision a denial.
# custom:
#   code: access.obligations
#   law: [personal-data-law-91-2025.14-6, decree-356-2025.consent]
obligations := {
	"mode": input.dataset.mode,
	"columns": [column | some column in input.request.columns; column in input.agreement.columns],
	"k_min": input.dataset.k,
	"max_rows": max_rows,
	"max_bytes": data.limits.modes[input.dataset.mode].max_bytes,
	"expires_at": input.agreement.expires_at_ms,
	"recheck_after": valid_until,
	"consented_to": consented_to,
	"row_filter": [],
}

max_rows := min({data.limits.modes[input.dataset.mode].max_rows, rows_left}) if input.dataset.mode == "rows"

max_rows := data.limits.modes[input.dataset.mode].max_rows if input.dataset.mode == "aggregate"

default consented_to := null

consented_to := input.request.purpose if by_consent
