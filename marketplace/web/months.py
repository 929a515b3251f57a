"""Calendar months of Viet Nam, as pages choose and show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from marketplace.calendar import VIETNAM
from marketplace.metering.reads import Period
from marketplace.web.forms import wrong

CHOICES: Final = 12


class Month(Struct, frozen=True, order=True):
    year: int
    number: int

    @property
    def id(self) -> str:
        """YYYY-MM, as addresses carry it."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def text(self) -> str:
        """MM/YYYY, as both languages read it."""
        return f"{self.number:02}/{self.year:04}"

    @property
    def next(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> Month:
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    @property
    def start(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.number, 1, tzinfo=VIETNAM)

    @property
    def period(self) -> Period:
        """From its first instant to the next month's."""
        return Period(self.start, self.next.start)


def month_of(at: datetime) -> Month:
    """The month of an instant."""
    local = at.astimezone(VIETNAM)
    return Month(local.year, local.month)


def choose_month(text: str | None, now: datetime) -> Month:
    """The month named YYYY-MM, else the current one. Raises Invalid for what is neither."""
    if not text:
        return month_of(now)
    try:
        chosen = month_of(datetime.strptime(text, "%Y-%m").replace(tzinfo=VIETNAM))
        _ = chosen.period.since.astimezone(UTC)  # the calendar's first and last months are not whole everywhere
        return chosen
    except (ValueError, OverflowError) as error:
        raise wrong("month", "form.day") from error


def months_until(now: datetime) -> list[Month]:
    """The current month and those before it, newest first."""
    found = [month_of(now)]
    while len(found) < CHOICES:
        found.append(found[-1].previous)
    return found
