package access

# METADATA
# title: A fact is missing
# description: A fact that is absent, null or of another form denies, whatever the other gates say.
# custom:
#   code: "*.missing"
#   facts: ["*"]
#   source: policies/data/facts.json
#   law: [data-law-60-2024.42]
deny contains denied(concat(".", [fact.gate, "missing"]), {"fact": name}) if {
	some name, fact in data.facts
	not known(fact.type, object.get(input, fact.path, null))
	not beside_the_point(fact)
}

# Of a dataset that lists nothing, nothing else is known: version.not_listed says it once.
beside_the_point(fact) if {
	fact.unlisted
	input.dataset.listed == false
}

known("text", value) if {
	is_string(value)
	value != ""
}

known("texts", value) if texts(value)

known("amount", value) if amount(value)

known("limit", null)

known("limit", value) if amount(value)

known("number", value) if is_number(value)

known("boolean", value) if is_boolean(value)

texts(value) if {
	is_array(value)
	every item in value {
		is_string(item)
	}
}

amount(value) if {
	is_number(value)
	value >= 0
}
