package access

import data.fact
import data.reason

# METADATA
# title: The wallet can pay the price
# description: A query is held in full before it runs.
# custom:
#   code: price.wallet
#   facts: [request.price_vnd, wallet.available_vnd]
#   source: account_balance
#   law: [decree-169-2025.32-33]
gates contains "price.wallet" if {
	fact.amount(input.request.price_vnd)
	input.request.price_vnd <= input.wallet.available_vnd
}

# METADATA
# title: The price is within the limit given with the request
# description: No limit given is no limit; a limit that is no number denies.
# custom:
#   code: price.limit
#   facts: [request.price_vnd, request.max_vnd]
#   source: the request
#   law: [decree-169-2025.32-33]
gates contains "price.limit" if {
	fact.amount(input.request.price_vnd)
	within_limit
}

# METADATA
# title: The wallet cannot pay the price
# description: The gate price.wallet does not hold.
# custom:
#   code: price.over_wallet
#   gate: price.wallet
#   facts: [request.price_vnd, wallet.available_vnd]
#   source: account_balance
#   law: [decree-169-2025.32-33]
#   remedy: wallet.credit
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	is_number(input.wallet.available_vnd)
	input.request.price_vnd > input.wallet.available_vnd
	params := {"price_vnd": input.request.price_vnd, "available_vnd": input.wallet.available_vnd}
}

# METADATA
# title: The price is over the limit given
# description: The gate price.limit does not hold.
# custom:
#   code: price.over_limit
#   gate: price.limit
#   facts: [request.price_vnd, request.max_vnd]
#   source: the request
#   law: [decree-169-2025.32-33]
#   remedy: limit.raise
deny contains reason.denied(rego.metadata.rule().custom, params) if {
	is_number(input.request.max_vnd)
	input.request.price_vnd > input.request.max_vnd
	params := {"price_vnd": input.request.price_vnd, "max_vnd": input.request.max_vnd}
}

within_limit if object.get(input, ["request", "max_vnd"], null) == null

within_limit if input.request.price_vnd <= input.request.max_vnd
