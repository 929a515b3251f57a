# METADATA
# title: Access to one dataset under one agreement
# description: >-
#   Positive gates. Each gate that holds is named in `gates`; each that does not gives a reason in `deny`.
#   Access is allowed when every gate is named and nothing denies, so silence is a denial.
package access

# METADATA
# title: The decision
# description: What the engines ask for. Reasons are codes; words live in policies/texts.json.
# entrypoint: true
# custom:
#   code: access.decision
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
#   code: access.allow
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
#   code: access.required
#   law: [data-law-60-2024.42]
required := {
	"question.schema",
	"law.in_force",
	"caller.active",
	"caller.startup",
	"caller.not_suspended",
	"agreement.own",
	"agreement.named",
	"agreement.dataset",
	"agreement.started",
	"agreement.not_expired",
	"agreement.not_ended",
	"purpose.known",
	"purpose.agreed",
	"purpose.allowed",
	"version.listed",
	"version.mode",
	"version.k",
	"class.ceiling",
	"conditions.met",
	"columns.agreed",
	"columns.in_version",
	"basis.lawful",
	"price.wallet",
	"price.limit",
	"rows.budget",
	"budget.enough",
	"obligations.known",
	"obligations.agree",
	"obligations.not_expired",
}

default obligations_if_allowed := null

obligations_if_allowed := obligations if allow

# METADATA
# title: How long the decision may be used
# description: The shorter of the decision's lifetime and the expiry of what was granted; zero for a denial.
# scope: document
# custom:
#   code: access.valid_until
#   law: [data-law-60-2024.42]
default valid_until := 0

valid_until := obligations.recheck_after if allow
