# METADATA
# title: The law in force
# description: Of the dated entries of policies/data/law.json, the one in force at the instant of the question applies.
package lawbook

# Undefined, and so a denial, where no entry with values is in force.
values(id, at_ms) := entry.values if {
	some entry in data.law[id]
	in_force(entry, at_ms)
}

known(id, at_ms) if {
	some entry in data.law[id]
	in_force(entry, at_ms)
}

in_force(entry, at_ms) if {
	entry.from_ms <= at_ms
	not over(entry, at_ms)
}

over(entry, at_ms) if {
	is_number(entry.until_ms)
	entry.until_ms <= at_ms
}
