package listing

import data.lawbook
import data.reason

no_trade := lawbook.values("data-law-60-2024.42", input.at_ms)

anonymity := lawbook.values("exchange.anonymity", input.at_ms)

thresholds := lawbook.values("decision-20-2025.classes", input.at_ms)

ceiling := lawbook.values("exchange.privacy", input.at_ms)

quality_floors := lawbook.values("exchange.quality", input.at_ms)

highest := lawbook.values("decree-165-2025.ceiling", input.at_ms).highest

# METADATA
# title: Every threshold has a value at this instant
# description: Where no dated entry of the law is in force, nothing can be measured against it.
# custom:
#   code: law.in_force
#   facts: [question.at_ms]
#   source: policies/data/law.json
#   law:
#     - data-law-60-2024.42
#     - exchange.anonymity
#     - exchange.privacy
#     - exchange.quality
#     - decision-20-2025.classes
#     - decree-165-2025.ceiling
gates contains "law.in_force" if {
	no_trade
	anonymity
	ceiling
	thresholds
	highest
	quality_floors
}

# METADATA
# title: No entry of a law is in force at this instant
# description: The gate law.in_force does not hold.
# custom:
#   code: law.not_in_force
#   gate: law.in_force
#   facts: [question.at_ms]
#   source: policies/data/law.json
#   law:
#     - data-law-60-2024.42
#     - exchange.anonymity
#     - exchange.privacy
#     - exchange.quality
#     - decision-20-2025.classes
#     - decree-165-2025.ceiling
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"id": id}) if {
	some id in laws
	not lawbook.known(id, input.at_ms)
}

laws := [
	"data-law-60-2024.42",
	"exchange.anonymity",
	"exchange.privacy",
	"exchange.quality",
	"decision-20-2025.classes",
	"decree-165-2025.ceiling",
]
