package agreement

import data.lawbook
import data.reason

anonymity := lawbook.values("exchange.anonymity", input.at_ms)

bounds := lawbook.values("exchange.agreement", input.at_ms)

thresholds := lawbook.values("decision-20-2025.classes", input.at_ms)

highest := lawbook.values("decree-165-2025.ceiling", input.at_ms).highest

# METADATA
# title: Every threshold has a value at this instant
# description: Where no dated entry of the law is in force, nothing can be measured against it.
# custom:
#   code: law.in_force
#   facts: [question.at_ms]
#   source: policies/data/law.json
#   law: [exchange.anonymity, exchange.agreement, decision-20-2025.classes, decree-165-2025.ceiling]
gates contains "law.in_force" if {
	anonymity
	bounds
	thresholds
	highest
}

# METADATA
# title: No entry of a law is in force at this instant
# description: The gate law.in_force does not hold.
# custom:
#   code: law.not_in_force
#   gate: law.in_force
#   facts: [question.at_ms]
#   source: policies/data/law.json
#   law: [exchange.anonymity, exchange.agreement, decision-20-2025.classes, decree-165-2025.ceiling]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"id": id}) if {
	some id in ["exchange.anonymity", "exchange.agreement", "decision-20-2025.classes", "decree-165-2025.ceiling"]
	not lawbook.known(id, input.at_ms)
}
