package access

import data.fact
import data.reason

# METADATA
# title: Privacy is not what this mode spends
# description: Only dp mode spends a budget; in the others whole cohorts hide a person.
# custom:
#   code: budget.enough
#   facts: [dataset.mode]
#   source: version.json mode
#   law: [exchange.privacy]
gates contains "budget.enough" if {
	is_string(input.dataset.mode)
	input.dataset.mode != "dp"
}

# METADATA
# title: The agreement's privacy budget covers the query
# description: The budget was bought once and is never renewed; a query is held in full before it runs.
# custom:
#   code: budget.enough
#   facts: [budget.cost_micro, budget.left_micro, budget.epsilon]
#   source: account_balance
#   law: [exchange.privacy, personal-data-law-91-2025.14-6]
gates contains "budget.enough" if {
	budget_known
	input.budget.cost_micro <= input.budget.left_micro
}

# METADATA
# title: The agreement's privacy budget does not cover the query
# description: The gate budget.enough does not hold.
# custom:
#   code: budget.spent
#   gate: budget.enough
#   facts: [budget.cost_micro, budget.left_micro]
#   source: account_balance
#   law: [exchange.privacy, personal-data-law-91-2025.14-6]
#   remedy: budget.lower
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	budget_known
	input.budget.cost_micro > input.budget.left_micro
	params := {"cost_micro": input.budget.cost_micro, "left_micro": input.budget.left_micro}
}

# METADATA
# title: It is not known how much privacy the query spends, or what is left
# description: In dp mode the cost, its epsilon and the balance must be known.
# custom:
#   code: budget.missing
#   gate: budget.enough
#   facts: [budget.cost_micro, budget.left_micro, budget.epsilon]
#   source: account_balance
#   law: [exchange.privacy]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"fact": concat(".", ["budget", name])}) if {
	input.dataset.mode == "dp"
	some name in ["cost_micro", "left_micro", "epsilon"]
	not fact.amount(object.get(input, ["budget", name], null))
}

budget_known if {
	input.dataset.mode == "dp"
	fact.amount(input.budget.cost_micro)
	fact.amount(input.budget.left_micro)
	fact.amount(input.budget.epsilon)
}

default private := {}

private := {"epsilon": input.budget.epsilon} if input.dataset.mode == "dp"
