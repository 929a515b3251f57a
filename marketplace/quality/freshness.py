"""When the next version is due by what the manifest says, and whether it is late. One clock, the service's."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from marketplace.calendar import VIETNAM

DAYS: Final = {"daily": 1, "weekly": 7}
MONTHS: Final = {"monthly": 1, "quarterly": 3, "yearly": 12}
SHORTEST_MONTH_DAYS: Final = 28
FreshState = Literal["fresh", "overdue", "no_promise"]


class Freshness(Struct, frozen=True, kw_only=True):
    """`due_at`: when the next version must be there; None where none was promised (once, irregular)."""

    update_frequency: str
    released_at: datetime
    due_at: datetime | None
    state: FreshState


def freshness(update_frequency: str, released_at: datetime, *, at: datetime) -> Freshness:
    """As it stands at `at`; at the instant it is due it is not late yet."""
    due = due_at(update_frequency, released_at)
    state: FreshState = "no_promise" if due is None else "overdue" if at > due else "fresh"
    return Freshness(update_frequency=update_frequency, released_at=released_at, due_at=due, state=state)


def due_at(update_frequency: str, released_at: datetime) -> datetime | None:
    """The same hour so many days or calendar months of Viet Nam later, at the latest the month's last day."""
    if update_frequency in DAYS:
        return released_at + timedelta(days=DAYS[update_frequency])
    if update_frequency not in MONTHS:
        return None
    local = released_at.astimezone(VIETNAM)
    year, month = divmod(local.year * 12 + local.month - 1 + MONTHS[update_frequency], 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(released_at.tzinfo)


def overdue_before(at: datetime) -> dict[str, datetime]:
    """Of each frequency that promises something: what was released then or later is surely not overdue at `at`."""
    months = {frequency: many * SHORTEST_MONTH_DAYS for frequency, many in MONTHS.items()}
    return {frequency: at - timedelta(days=days) for frequency, days in (DAYS | months).items()}
