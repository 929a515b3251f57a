package listing

# METADATA
# title: What the sale is bound to
# description: Mode, columns and k of what was decided, its class, and how soon it is to be decided again.
# custom:
#   code: listing.obligations
#   law: [personal-data-law-91-2025.14-6, decree-165-2025.ceiling]
obligations := {
	"mode": input.manifest.mode,
	"columns": [column.name | some column in input.manifest.columns],
	"k_min": k,
	"max_rows": data.limits.modes[input.manifest.mode].max_rows,
	"max_bytes": data.limits.modes[input.manifest.mode].max_bytes,
	"expires_at": until_ms,
	"recheck_after": until_ms,
	"consented_to": null,
	"row_filter": [],
	"state_class": state_class,
	"personal_class": personal_class,
}

k := input.manifest.k if input.stage == "manifest"

k := input.version.measured_k if input.stage == "version"

until_ms := input.at_ms + data.limits.decision_lifetime_ms
