# METADATA
# title: Facts
# description: Whether a fact has the form that policies/data/facts.json asks of it; null is no fact.
package fact

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

known("object", value) if is_object(value)

known("list", value) if is_array(value)

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
