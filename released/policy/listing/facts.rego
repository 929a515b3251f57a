package listing

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
	some name, each in data.facts.listing
	not fact.known(each.type, object.get(input, each.path, null))
	not beside_the_point(each)
}

# Before a version is made, nothing is measured.
beside_the_point(each) if {
	each.measured
	input.stage == "manifest"
}
