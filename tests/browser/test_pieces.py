"""Small pieces under the pages: fields of forms, months, the place in the SQL that a refusal names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.datastructures import FormMultiDict

from marketplace.errors import Invalid
from marketplace.web.answer import place_in
from marketplace.web.forms import FIELD_CHARACTERS, Form
from marketplace.web.months import choose_month, month_of, months_until

NOW = datetime(2026, 1, 31, 18, tzinfo=UTC)


@settings(deadline=None)
@given(st.text(), st.integers(-5, 30), st.integers(-5, 300), st.text(max_size=5))
def test_the_place_is_always_cut_out_of_its_own_line(sql: str, line: int, column: int, word: str) -> None:
    place = place_in(sql, {"line": line, "column": column, "word": word})
    lines = sql.split("\n")
    assert (place is not None) == (1 <= line <= len(lines))
    if place:
        assert place.before + place.word + place.after == lines[line - 1]
        if "\r" not in sql:
            assert sql[place.start : place.start + len(place.word)] == place.word


def test_the_place_marks_the_word_whatever_its_case() -> None:
    place = place_in("select 1,\n  DROP table x", {"line": 2, "column": 3, "word": "drop"})
    assert place
    assert (place.before, place.word, place.after) == ("  ", "DROP", " table x")
    sent = place_in("select 1,\r\n  DROP table x", {"line": 2, "column": 3, "word": "drop"})
    assert sent
    assert sent.start == place.start == 12, "a form sends two characters for the one that its field counts"


def test_a_refusal_without_a_place_marks_nothing() -> None:
    assert place_in("select 1", {}) is None


@pytest.mark.parametrize(
    ("read", "value"),
    [
        ("integer", "mười"), ("integer", ""), ("integer", "1.5"), ("day", "31/12/2026"), ("day", "2026-02-30"),
        ("id", "1"), ("ids", "1"), ("text", "x" * (FIELD_CHARACTERS + 1)),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_refused_by_name(read: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        getattr(Form(FormMultiDict([("field", value)])), read)("field")
    assert [error["path"] for error in refused.value.params["errors"]] == ["field"]


def test_fields_that_fit_are_read() -> None:
    form = Form(FormMultiDict([("n", " 12 "), ("d", "2026-11-23"), ("t", "a\r\nb"), ("s", "x"), ("s", "y")]))
    assert (form.integer("n"), form.day("d"), form.text("t")) == (12, date(2026, 11, 23), "a\nb")
    assert form.texts("s") == ("x", "y")
    assert (form.text("absent"), form.day("absent"), form.optional_id("absent")) == ("", None, None)


def test_a_month_is_a_month_of_viet_nam() -> None:
    assert month_of(NOW).id == "2026-02"
    assert choose_month(None, NOW) == month_of(NOW)
    assert choose_month("2025-12", NOW).text == "12/2025"
    assert [month.id for month in months_until(NOW)][:3] == ["2026-02", "2026-01", "2025-12"]
    with pytest.raises(Invalid):
        choose_month("2025-13", NOW)


@settings(deadline=None)
@given(st.datetimes(datetime(1970, 2, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_every_instant_is_in_exactly_one_month(at: datetime) -> None:
    month = month_of(at)
    assert month.period.since <= at < month.period.until
    assert month.next.previous == month
    assert month.next.start == month.period.until
    assert month_of(month.start - timedelta(seconds=1)) == month.previous
