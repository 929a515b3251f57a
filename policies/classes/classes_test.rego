package classes_test

import data.classes

thresholds := {"basic": {"important": 100, "core": 1000}, "sensitive": {"important": 10, "core": 100}}

shown(kinds, persons) := {
	"disclosed": "public" in kinds,
	"basic": "basic" in kinds,
	"sensitive": "sensitive" in kinds,
	"persons": persons,
}

states := {
	"few people": [["basic"], 99, "internal"],
	"just important": [["basic"], 100, "important"],
	"just not core": [["basic"], 999, "important"],
	"just core": [["basic"], 1000, "core"],
	"few people, sensitive": [["sensitive"], 9, "internal"],
	"just important, sensitive": [["sensitive"], 10, "important"],
	"just core, sensitive": [["basic", "sensitive"], 100, "core"],
	"nothing personal": [[], 1000000, "internal"],
	"disclosed before": [["public", "sensitive"], 1000000, "public"],
}

test_state[name] if {
	some name, [kinds, persons, expected] in states
	classes.state(shown(kinds, persons), thresholds) == expected
}

test_personal if {
	classes.personal(shown([], 1)) == "none"
	classes.personal(shown(["basic"], 1)) == "basic"
	classes.personal(shown(["sensitive"], 1)) == "sensitive"
	classes.personal(shown(["basic", "sensitive"], 1)) == "sensitive"
}

test_at_most if {
	classes.at_most("important", "important")
	not classes.at_most("core", "important")
	not classes.at_most("unheard", "core")
}

test_higher if {
	classes.higher("core", "important")
	not classes.higher("internal", "internal")
	not classes.higher("public", "core")
}

test_more_personal if {
	classes.more_personal("sensitive", "basic")
	not classes.more_personal("basic", "basic")
}
