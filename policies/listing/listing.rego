# METADATA
# title: Putting a version on sale
# description: No gate is written yet, so nothing is allowed.
package listing

# METADATA
# title: The decision
# description: What the engines ask for. Reasons are codes; words live in policies/texts.json.
# entrypoint: true
# custom:
#   code: listing.decision
#   law: [data-law-60-2024.42]
decision := {
	"allow": false,
	"reasons": [],
	"obligations": null,
	"valid_until": 0,
}
