# METADATA
# title: Putting a version on sale
# description: >-
#   Positive gates, as in access. Stage manifest, may a version of this be made? Stage version, may it be sold?
package listing

# METADATA
# title: The decision
# description: What the engines ask for. Reasons are codes; words live in policies/texts.json.
# entrypoint: true
# custom:
#   code: listing.decision
#   law: [data-law-60-2024.42]
decision := {
	"allow": allow,
	"reasons": [reason | some reason in (deny | told)],
	"obligations": obligations_if_allowed,
	"valid_until": valid_until,
}

# METADATA
# title: Allowed
# description: Every gate holds and nothing denies.
# scope: document
# custom:
#   code: listing.allow
#   law: [data-law-60-2024.42]
default allow := false

allow if {
	count(deny) == 0
	count(required - gates) == 0
}

# METADATA
# title: The gates that must hold
# description: >-
#   One name a gate; a gate added without its name here is caught by a test. What is measured on the finished files
#   is asked at the stage version only, and nothing is released without that stage.
# scope: document
# custom:
#   code: listing.required
#   law: [data-law-60-2024.42]
required := by_manifest if input.stage == "manifest"

required := by_manifest | by_version if input.stage == "version"

by_manifest := {
	"question.schema",
	"law.in_force",
	"caller.active",
	"caller.owner",
	"caller.not_suspended",
	"trade.no_secret",
	"trade.deidentified",
	"purposes.known",
	"purposes.consentable",
	"basis.lawful",
	"basis.in_force",
	"mode.known",
	"anonymity.asked",
	"privacy.bounded",
}

by_version := {
	"anonymity.measured",
	"basis.consented",
	"evidence.kept",
	"class.ceiling",
	"quality.floor",
}

default obligations_if_allowed := null

obligations_if_allowed := obligations if allow

# METADATA
# title: How long the decision may be used
# description: The decision's lifetime; zero for a denial.
# scope: document
# custom:
#   code: listing.valid_until
#   law: [data-law-60-2024.42]
default valid_until := 0

valid_until := obligations.recheck_after if allow
