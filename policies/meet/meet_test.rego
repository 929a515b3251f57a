package meet_test

import data.meet

version := {"mode": "rows", "columns": ["age", "sex", "hours"], "k_min": 10, "max_rows": 100}

agreement := {"columns": ["sex", "age"], "expires_at": 9, "row_filter": [{"column": "sex", "is": "F"}]}

other := {"mode": "aggregate", "k_min": 20, "max_rows": 50, "row_filter": [{"column": "age", "is": "30"}]}

test_columns_intersect if meet.columns([version, agreement, {"k_min": 5}]) == {"age", "sex"}

test_filters_all_hold if {
	both := [{"column": "age", "is": "30"}, {"column": "sex", "is": "F"}]
	meet.filters([version, agreement, other]) == both
	meet.filters([other, agreement]) == both
}

test_the_largest_k_holds if meet.largest([version, agreement, other], "k_min") == 20

test_the_smallest_budget_holds if meet.smallest([other, version], "max_rows") == 50

test_an_axis_that_nobody_speaks_of_is_undefined if not meet.smallest([version, agreement], "epsilon")

test_modes_have_to_agree if {
	meet.conflicts([version, agreement]) == set()
	meet.conflicts([version, other]) == {"mode"}
}

test_what_is_not_enforced_or_of_another_form_is_unknown if {
	meet.unknown([version, {"watermark": true, "max_rows": "many"}]) == {"watermark", "max_rows"}
	meet.unknown([agreement]) == {"row_filter"}
}
