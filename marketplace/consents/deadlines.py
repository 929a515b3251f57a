"""When a withdrawal must be acknowledged and when its processing must have stopped, by the law of its day.

Numbers are dated configuration: `policies/data/law.json` for the days, `marketplace/holidays.json` for the
days on which nobody works. A year that is not there has no holidays: its deadlines come out earlier, never later.
"""

from __future__ import annotations

import functools
from datetime import date, timedelta

import msgspec
from msgspec import Struct

from marketplace.calendar import is_working_day
from policies.laws import laws

LAW = "decree-356-2025.consent"
"""The entry of law.json whose `values` are the deadlines."""


class Days(Struct, frozen=True, kw_only=True):
    """From the day after a person spoke: working days to acknowledge, days to stop."""

    acknowledge_working_days: int
    stop_days: int


def days_on(day: date) -> Days | None:
    """What the law asks of a withdrawal said on that day, in Viet Nam; None where none is configured."""
    for begins, ends, days in _periods():
        if begins <= day < ends:
            return days
    return None


def acknowledge_by(said: date, days: Days) -> date:
    """The last day on which it is acknowledged in time."""
    day, left = said, days.acknowledge_working_days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day


def stop_by(said: date, days: Days) -> date:
    """The last day on which processing has stopped in time."""
    return said + timedelta(days=days.stop_days)


@functools.cache
def _periods() -> tuple[tuple[date, date, Days | None], ...]:
    """First day, first day no more, and what holds between them."""
    return tuple(
        (
            date.fromisoformat(entry.valid_from),
            date.fromisoformat(entry.valid_to) if entry.valid_to else date.max,
            msgspec.convert(entry.values, Days) if entry.values else None,
        )
        for entry in laws()[LAW]
    )
