"""Days and calendar months of Viet Nam, in which use counts and prices are made: YYYY-MM-DD, YYYY-MM."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Final

_VIETNAM: Final = timezone(timedelta(hours=7))


def month_of(at: datetime) -> str:
    """The month of an instant."""
    return at.astimezone(_VIETNAM).strftime("%Y-%m")


def month_start(month: str) -> datetime:
    """Its first instant. Raises ValueError for what is no month."""
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=_VIETNAM)


def next_month(month: str) -> str:
    """The month after it."""
    return month_of(month_start(month) + timedelta(days=31))


def day_of(at: datetime) -> date:
    """The day of an instant."""
    return at.astimezone(_VIETNAM).date()


def day_start(day: date) -> datetime:
    """Its first instant."""
    return datetime.combine(day, time(), _VIETNAM)
