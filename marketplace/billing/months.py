"""Calendar months of Viet Nam, in which prices count: YYYY-MM."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

ZONE: Final = "Asia/Ho_Chi_Minh"
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
