# METADATA
# title: Conditions of the owner
# description: >-
#   GA4GH DUO modifiers. `asked`: what the owner demands; `promised`: what the startup said. A condition that is
#   not asked is met. Each function is true where its condition is met.
package condition

import data.fact

day_ms := 86400000

# DUO:0000025. `from_ms`: first instant of the agreement; `until_ms`: the last one that is wanted.
duration(asked, from_ms, until_ms) if until_ms <= end_ms(asked, from_ms)

duration(asked, _, _) if not asked.time_limit_days

end_ms(asked, from_ms) := from_ms + (asked.time_limit_days * day_ms)

# DUO:0000026
users(asked, people) if count(people) <= asked.approved_users_max

users(asked, _) if not asked.approved_users_max

# DUO:0000028
institution(asked, slug) if slug in asked.institutions

institution(asked, _) if not asked.institutions

# DUO:0000022: VN covers VN-HN.
place(asked, promised) if promised.place in asked.places

place(asked, promised) if {
	some country in asked.places
	startswith(promised.place, concat("", [country, "-"]))
}

place(asked, _) if not asked.places

# DUO:0000021
ethics(_, promised) if {
	is_string(promised.ethics_reference)
	promised.ethics_reference != ""
}

ethics(asked, _) if not asked.ethics_approval

# All that are for this purpose hold, the owner's and the agreement's: the filters of records that the sandbox
# owes, in an order of their own.
filters(asked, promised, purpose) := sort({filter |
	some said in [asked, promised]
	some one in said.records
	concerns(one, purpose)
	filter := {"column": one.column, "in": one["in"]}
})

concerns(one, _) if not one.purposes

concerns(one, purpose) if data.purpose.covered(purpose, one.purposes)

# A filter that is not understood would be none.
records(asked) if not asked.records

records(asked) if {
	is_array(asked.records)
	every one in asked.records {
		fact.known("text", one.column)
		fact.texts(one["in"])
		count(one["in"]) > 0
		fact.texts(object.get(one, "purposes", []))
	}
}

# What a version does not have chooses nothing in it.
there(promised, columns) if {
	every one in object.get(promised, "records", []) {
		one.column in columns
	}
}

# DUO:0000029
results(_, promised) if promised.returns_results == true

results(asked, _) if not asked.return_results
