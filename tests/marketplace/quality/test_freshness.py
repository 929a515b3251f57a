"""The clock of updates: due by the manifest's word, late only afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.quality.freshness import DAYS, MONTHS, due_at, freshness, overdue_before

RELEASED = datetime(2026, 1, 30, 20, 0, tzinfo=UTC)
"""The 31st, three in the morning, in Viet Nam."""


@pytest.mark.parametrize(
    ("frequency", "due"),
    [
        ("daily", RELEASED + timedelta(days=1)),
        ("weekly", RELEASED + timedelta(days=7)),
        ("monthly", datetime(2026, 2, 27, 20, 0, tzinfo=UTC)),
        ("quarterly", datetime(2026, 4, 29, 20, 0, tzinfo=UTC)),
        ("yearly", datetime(2027, 1, 30, 20, 0, tzinfo=UTC)),
        ("once", None),
        ("irregular", None),
    ],
)
def test_the_next_version_is_due_as_the_manifest_says(frequency: str, due: datetime | None) -> None:
    assert due_at(frequency, RELEASED) == due
    if due is None:
        assert freshness(frequency, RELEASED, at=RELEASED + timedelta(days=9_999)).state == "no_promise"
        return
    assert freshness(frequency, RELEASED, at=due).state == "fresh"
    assert freshness(frequency, RELEASED, at=due + timedelta(milliseconds=1)).state == "overdue"


@given(
    frequency=st.sampled_from([*DAYS, *MONTHS]),
    released=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    days=st.integers(0, 800),
)
def test_nothing_is_overdue_that_is_not_asked_for(frequency: str, released: datetime, days: int) -> None:
    at = released + timedelta(days=days, milliseconds=1)
    if freshness(frequency, released, at=at).state == "overdue":
        assert released < overdue_before(at)[frequency]
