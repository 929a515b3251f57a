package lawbook_test

import data.lawbook

entries := {"floor": [
	{"values": {"k": 5}, "from_ms": 1000000, "until_ms": 2000000},
	{"values": {"k": 10}, "from_ms": 2000000, "until_ms": null},
]}

test_one_second_before_the_first_entry_nothing_is_in_force if {
	not lawbook.values("floor", 999000) with data.law as entries
	not lawbook.known("floor", 999000) with data.law as entries
}

test_the_first_instant_counts if lawbook.values("floor", 1000000).k == 5 with data.law as entries

test_one_second_before_a_change_the_old_value_applies if {
	lawbook.values("floor", 1999000).k == 5 with data.law as entries
}

test_one_second_after_a_change_the_new_value_applies if {
	lawbook.values("floor", 2001000).k == 10 with data.law as entries
	lawbook.known("floor", 2001000) with data.law as entries
}

test_a_law_nobody_wrote_down_is_not_in_force if not lawbook.known("hearsay", 1000000) with data.law as entries

test_at_the_instant_of_a_change_only_the_new_value_applies if {
	lawbook.values("floor", 2000000).k == 10 with data.law as entries
}
