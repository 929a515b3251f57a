package access

import data.fact
import data.reason

# METADATA
# title: A fact is missing
# description: A fact that is absent, null or of another form denies, whatever the other gates say.
# custom:
#   code: "*.missing"
#   facts: ["*"]
#   source: policies/data/facts.json
#   law: [data-law-60-2024.42]
#   remedy: operator.tell
deny contains reason.missing(rego.metadata.rule().custom, each.gate, name) if {
	some name, each in data.facts.access
	not fact.known(each.type, object.get(input, each.path, null))
	not beside_the_point(each)
}

# Of a dataset that lists nothing, nothing else is known: version.not_listed says it once.
beside_the_point(each) if {
	each.unlisted
	input.dataset.listed == false
}
