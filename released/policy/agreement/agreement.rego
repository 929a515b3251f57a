# METADATA
# title: Granting an agreement
# description: >-
#   Positive gates, as in access: whether an application may be made or granted, and with which limits.
package agreement

# METADATA
# title: The decision
# description: What the engines ask for. Reasons are codes; words live in policies/texts.json.
# entrypoint: true
# custom:
#   code: agreement.decision
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
#   code: agreement.allow
#   law: [data-law-60-2024.42]
default allow := false

allow if {
	count(deny) == 0
	count(required - gates) == 0
}

# METADATA
# title: The gates that must hold
# description: One name a gate; a gate added without its name here is caught by a test.
# custom:
#   code: agreement.required
#   law: [data-law-60-2024.42]
required := {
	"question.schema",
	"law.in_force",
	"applicant.active",
	"applicant.startup",
	"applicant.not_suspended",
	"owner.not_suspended",
	"people.active",
	"people.few",
	"duration.allowed",
	"purpose.known",
	"purpose.allowed",
	"conditions.met",
	"version.listed",
	"version.mode",
	"version.k",
	"basis.lawful",
	"class.ceiling",
	"obligations.known",
	"obligations.agree",
}

default obligations_if_allowed := null

obligations_if_allowed := obligations if allow

# METADATA
# title: How long the decision may be used
# description: The decision's lifetime; zero for a denial.
# scope: document
# custom:
#   code: agreement.valid_until
#   law: [data-law-60-2024.42]
default valid_until := 0

valid_until := obligations.recheck_after if allow
