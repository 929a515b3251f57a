package condition_test

import data.condition

met := {
	"no time limit": condition.duration({}, 0, 1e15),
	"the last instant of the time limit": condition.duration({"time_limit_days": 1}, 0, 86400000),
	"as many people as approved": condition.users({"approved_users_max": 2}, ["p1", "p2"]),
	"any number of people": condition.users({}, ["p1", "p2", "p3"]),
	"a named institution": condition.institution({"institutions": ["i1", "i2"]}, "i2"),
	"any institution": condition.institution({}, "i3"),
	"the place itself": condition.place({"places": ["VN"]}, {"place": "VN"}),
	"a place within": condition.place({"places": ["VN"]}, {"place": "VN-HN"}),
	"any place": condition.place({}, {}),
	"ethics approved": condition.ethics({"ethics_approval": true}, {"ethics_reference": "12/HĐĐĐ"}),
	"no ethics approval asked": condition.ethics({}, {}),
	"nothing said of the records": condition.records({}),
	"records of some provinces": condition.records({"records": [{"column": "p", "in": ["HN"], "purposes": ["x"]}]}),
	"records for every purpose": condition.records({"records": [{"column": "p", "in": ["HN"]}]}),
	"results come back": condition.results({"return_results": true}, {"returns_results": true}),
	"results are not asked": condition.results({}, {}),
}

test_met[name] if some name, true in met

test_a_millisecond_too_long if not condition.duration({"time_limit_days": 1}, 0, 86400001)

test_a_person_too_many if not condition.users({"approved_users_max": 1}, ["p1", "p2"])

test_another_institution if not condition.institution({"institutions": ["i1"]}, "i2")

test_an_institution_without_a_slug if not condition.institution({"institutions": ["i1"]}, null)

test_another_place if not condition.place({"places": ["VN-HN"]}, {"place": "VN"})

test_a_place_that_begins_alike if not condition.place({"places": ["V"]}, {"place": "VN"})

test_no_place_said if not condition.place({"places": ["VN"]}, {"place": null})

test_ethics_without_a_reference if {
	not condition.ethics({"ethics_approval": true}, {"ethics_reference": ""})
	not condition.ethics({"ethics_approval": true}, {})
}

test_results_do_not_come_back if not condition.results({"return_results": true}, {"returns_results": false})

unread := {
	"no list": {"records": {"column": "p", "in": ["HN"]}},
	"no column": {"records": [{"in": ["HN"]}]},
	"an empty name": {"records": [{"column": "", "in": ["HN"]}]},
	"no value": {"records": [{"column": "p", "in": []}]},
	"no values": {"records": [{"column": "p"}]},
	"a number": {"records": [{"column": "p", "in": [1]}]},
	"purposes that are none": {"records": [{"column": "p", "in": ["HN"], "purposes": "x"}]},
	"one of two": {"records": [{"column": "p", "in": ["HN"]}, {"column": "p"}]},
}

test_records_not_understood[name] if {
	some name, asked in unread
	not condition.records(asked)
}

test_filters_of_the_purpose if {
	asked := {"records": [
		{"column": "b", "in": ["2"], "purposes": ["research"]},
		{"column": "a", "in": ["1"]},
		{"column": "c", "in": ["3"], "purposes": ["product.rnd"]},
	]}
	condition.filters(asked, {}, "research.academic") == [{"column": "a", "in": ["1"]}, {"column": "b", "in": ["2"]}]
	condition.filters(asked, {"place": "VN"}, "public.service") == [{"column": "a", "in": ["1"]}]
	condition.filters({}, {}, "public.service") == []
}

test_filters_of_the_agreement_hold_beside_the_owners if {
	asked := {"records": [{"column": "b", "in": ["2"]}]}
	promised := {"records": [{"column": "a", "in": ["1"]}, {"column": "b", "in": ["2", "3"]}]}
	condition.filters(asked, promised, "public.service") == [
		{"column": "a", "in": ["1"]},
		{"column": "b", "in": ["2"]},
		{"column": "b", "in": ["2", "3"]},
	]
	condition.filters({}, promised, "public.service") == [
		{"column": "a", "in": ["1"]},
		{"column": "b", "in": ["2", "3"]},
	]
}

test_records_of_columns_that_are_there if {
	condition.there({"records": [{"column": "a", "in": ["1"]}]}, ["a", "b"])
	condition.there({}, [])
	not condition.there({"records": [{"column": "a"}, {"column": "c"}]}, ["a", "b"])
}
