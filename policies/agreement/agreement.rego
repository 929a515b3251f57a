# METADATA
# title: Granting an agreement
# description: No gate is written yet, so nothing is allowed.
package agreement

# METADATA
# title: The decision
# description: What the engines ask for. Reasons are codes; words live in policies/texts.json.
# entrypoint: true
# custom:
#   code: agreement.decision
#   law: [data-law-60-2024.42]
decision := {
	"allow": false,
	"reasons": [],
	"obligations": null,
	"valid_until": 0,
}
