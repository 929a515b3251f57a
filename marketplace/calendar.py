"""Days and calendar months of Viet Nam: YYYY-MM-DD, YYYY-MM. All days and months of the exchange are these."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from marketplace.errors import Invalid

DAYS_MOST: Final = 366
_SATURDAY: Final = 5
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(9998, 12, 31)
"""Beyond these there is nothing, and an instant of theirs need not have a neighbour."""
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
VIETNAM: Final = timezone(timedelta(hours=7))
"""No summer time, and none since 1975."""
HOLIDAYS: Final = Path(__file__).with_name("holidays.json")
"""Dated configuration: the public holidays of each year, with their source."""


class _Year(Struct, frozen=True, kw_only=True):
    year: int
    days: tuple[date, ...]
    source: str
    checked_by: str | None


def month_of(at: datetime) -> str:
    """The month of an instant."""
    return at.astimezone(VIETNAM).strftime("%Y-%m")


def month_start(month: str) -> datetime:
    """Its first instant. Raises ValueError for what is no month."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=VIETNAM)
    if f"{first:%Y-%m}" != month:
        raise ValueError(month)
    return first


def next_month(month: str) -> str:
    """The month after it."""
    return month_of(month_start(month) + timedelta(days=31))


def day_of(at: datetime) -> date:
    """The day of an instant."""
    return at.astimezone(VIETNAM).date()


def day_start(day: date) -> datetime:
    """Its first instant."""
    return datetime.combine(day, time(), VIETNAM)


@functools.cache
def public_holidays() -> frozenset[date]:
    """Every public holiday that is configured; none in a year that is not there."""
    years = msgspec.json.decode(HOLIDAYS.read_bytes(), type=dict[str, tuple[_Year, ...]])["years"]
    return frozenset(day for year in years for day in year.days)


def is_working_day(day: date) -> bool:
    """Monday to Friday, if it is no public holiday."""
    return day.weekday() < _SATURDAY and day not in public_holidays()


def after_banking_days(days: int, *, at: datetime, closed: Collection[date] = ()) -> datetime:
    """Whatever was done before this has had so many whole banking days since, the day of doing it not counted.

    A banking day is a working day that is not among `closed`."""
    day = day_of(at)
    while days:
        day -= timedelta(days=1)
        days -= is_working_day(day) and day not in closed
    return day_start(day)


def bound(written: str, *, days: int = 0) -> datetime:
    """An instant of ISO 8601 with its zone; or so many days after the beginning of a day.

    Raises ValueError for neither, for an instant without a zone, and for one that is nowhere near our time."""
    if _DAY.fullmatch(written):
        at = day_start(min(date.fromisoformat(written), _LAST_DAY) + timedelta(days=days))
    else:
        at = datetime.fromisoformat(written)
    if at.tzinfo is None or not _FIRST_DAY <= at.date() <= _LAST_DAY + timedelta(days=1):
        raise ValueError(written)
    return at


def span(first: date, last: date) -> tuple[datetime, datetime]:
    """From the first instant of one day until the end of another. Raises Invalid for none or too many days."""
    known = first >= _FIRST_DAY and last <= _LAST_DAY
    if not known or not timedelta() <= last - first < timedelta(days=DAYS_MOST):
        raise Invalid(errors=[{"path": "to", "code": "usage.days", "params": {"most": DAYS_MOST}}])
    return day_start(first), day_start(last + timedelta(days=1))
