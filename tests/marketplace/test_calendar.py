"""A month is Viet Nam's, and one and the same wherever months are counted: to the microsecond, on both sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import VIETNAM, after_banking_days, month_of, month_start, next_month
from marketplace.invoices import months as invoices
from marketplace.ledger import periods
from marketplace.oversight import months as oversight
from marketplace.web import months as web

BOUNDARY = datetime(2026, 11, 30, 17, tzinfo=UTC)
"""Midnight in Viet Nam; in UTC the month goes on for seven hours."""
LAST, FIRST = BOUNDARY - timedelta(microseconds=1), BOUNDARY
NAMES: dict[str, Callable[[datetime], str]] = {
    "calendar": month_of,
    "pages": lambda at: web.month_of(at).id,
    "archive": lambda at: next(each.name for each in oversight.ended(at, at + timedelta(days=70), months_ago=0)),
}
STARTS: dict[str, Callable[[str], datetime]] = {
    "calendar": month_start,
    "invoices, owners' statements": lambda month: invoices.month_of(month).since,
    "invoices, the month before": lambda month: invoices.month_of(month_of(LAST)).until,
    "ledger, the month before": lambda month: periods.end_of(month_of(LAST)),
    "pages": lambda month: web.choose_month(month, LAST).start,
    "archive, the month before": lambda month: oversight.Month(2026, 11).ends,
}


@pytest.mark.parametrize("where", NAMES)
def test_the_last_instant_and_the_first_have_the_same_name_everywhere(where: str) -> None:
    assert (NAMES[where](LAST), NAMES[where](FIRST)) == ("2026-11", "2026-12")


@pytest.mark.parametrize("where", STARTS)
def test_a_month_begins_at_the_same_instant_everywhere(where: str) -> None:
    assert STARTS[where]("2026-12") == BOUNDARY


async def test_the_database_says_the_same_whatever_its_own_zone(session: AsyncSession) -> None:
    for zone in ("UTC", "America/Los_Angeles"):
        await session.execute(text(f"set local timezone to '{zone}'"))
        for at in (LAST, FIRST):
            named = await session.scalar(
                text("select to_char(cast(:at as timestamptz) at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM')"),
                {"at": at},
            )
            assert named == month_of(at)


def test_a_year_ends_as_a_month_does() -> None:
    assert next_month("2026-12") == "2027-01"
    for wrong in ("2026-1", "2026-13", "26-01", ""):
        with pytest.raises(ValueError, match=r".*"):
            month_start(wrong)


@pytest.mark.parametrize(
    ("now", "days", "closed", "due"),
    [
        ("2026-11-27T12:00", 3, (), "2026-11-24"),  # a Friday; done on Monday, Tuesday to Thursday are over
        ("2026-11-27T00:00", 3, (), "2026-11-24"),
        ("2026-11-26T23:59", 3, (), "2026-11-23"),
        ("2026-11-30T09:00", 3, (), "2026-11-25"),  # a Monday: the weekend counts for nothing
        ("2026-11-29T09:00", 3, (), "2026-11-25"),
        ("2026-11-27T12:00", 3, ("2026-11-25", "2026-11-22"), "2026-11-23"),
        ("2026-11-27T12:00", 0, (), "2026-11-27"),
        ("2026-02-23T09:00", 1, (), "2026-02-13"),  # Tết, of which nobody had to tell the exchange
        ("2026-02-23T09:00", 1, ("2026-02-13",), "2026-02-12"),
    ],
)
def test_banking_days_are_monday_to_friday_without_holidays_and_only_whole_ones_count(
    now: str, days: int, closed: tuple[str, ...], due: str
) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=VIETNAM)
    found = after_banking_days(days, at=at, closed=[date.fromisoformat(each) for each in closed])
    assert found == datetime.fromisoformat(due).replace(tzinfo=VIETNAM)
