"""Every type of expectation is told as a sentence, with all that was asked, in both languages."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from catalog.quality.report import Verdict
from catalog.quality.suite import Purpose, Type
from marketplace.web.expected import in_words, judged
from marketplace.web.words import words
from tests.catalog.quality.tables import expect

UNJUDGED = ("type", "no_limits", "no_such_column", "no_values", "lookaround", "not_finite", "judges_differ",
            "raised", "memory", "not_understood", "engine")  # fmt: skip


def test_every_type_and_every_error_has_words() -> None:
    assert {f"quality.says.{kind}" for kind in get_args(Type)} <= words().keys()
    assert {f"quality.error.{error}" for error in UNJUDGED} <= words().keys()


@pytest.mark.parametrize(
    ("kind", "arguments", "told"),
    [
        ("column_values_to_be_between", {"column": "t", "min_value": 0, "max_value": 120}, "t: từ 0 đến 120"),
        ("column_values_to_be_between", {"column": "ngay", "max_value": "2026-01-01"}, "ngay: ≤ 2026-01-01"),
        ("column_max_to_be_between", {"column": "ngay", "min_value": "2026-01-01"},
         "Giá trị lớn nhất của ngay: ≥ 2026-01-01"),
        ("column_values_to_not_be_null", {"column": "tinh", "mostly": 0.995},
         "tinh có giá trị; đúng với ít nhất 99,5% giá trị"),
        ("column_pair_values_a_to_be_greater_than_b", {"column_A": "ra", "column_B": "vao", "or_equal": True},
         "ra ≥ vao"),
        ("compound_columns_to_be_unique", {"column_list": ["a", "b"]}, "a, b cùng nhau không lặp lại"),
        ("column_values_to_match_regex", {"column": "ma", "regex": "^{2}\\d$"}, "ma khớp mẫu ^{2}\\d$"),
        ("column_values_to_be_in_set", {"column": "so", "value_set": list(range(14))},
         "so là một trong: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 và 2 giá trị nữa"),
    ],
)  # fmt: skip
def test_an_expectation_is_a_sentence(kind: str, arguments: dict[str, Any], told: str) -> None:
    assert in_words(expect(kind, **arguments), "vi") == told


def test_one_that_was_not_judged_says_why() -> None:
    unjudged = Verdict(
        expectation=expect("column_values_to_match_regex", critical=True, column="ma", regex="(?=x)"),
        outcome="error", tested=0, unexpected=0, judge="own", error="lookaround",
    )  # fmt: skip
    shown = judged(3, [unjudged], "en")
    assert (shown.met, shown.failed, shown.errors) == (0, 0, 1)
    assert shown.verdicts[0].critical
    assert "looks ahead" in shown.verdicts[0].error


def test_why_is_told_in_words_where_it_is_ours_and_as_it_is_where_it_is_the_owners() -> None:
    unique = expect("column_values_to_be_unique", column="ma")
    said = []
    for why in ("seen", "vì sổ gốc"):
        one = msgspec.structs.replace(unique, purpose=Purpose(axis="clean", why=why))
        said.append(Verdict(expectation=one, outcome="met", tested=1, unexpected=0, judge="own"))
    assert [each.why for each in judged(1, said, "vi").verdicts] == ["như đã thấy trong tệp đầu tiên", "vì sổ gốc"]
