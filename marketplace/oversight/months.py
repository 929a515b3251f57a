"""Calendar months in Viet Nam's time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from marketplace.calendar import VIETNAM


class Month(Struct, frozen=True):
    year: int
    month: int

    @property
    def name(self) -> str:
        """YYYY-MM."""
        return f"{self.year:04}-{self.month:02}"

    @property
    def ends(self) -> datetime:
        """Its first instant no more."""
        after = self.plus(1)
        return datetime(after.year, after.month, 1, tzinfo=VIETNAM)

    def plus(self, months: int) -> Month:
        """So many months on."""
        number = self.year * 12 + self.month - 1 + months
        return Month(number // 12, number % 12 + 1)


def ended(since: datetime, at: datetime, *, months_ago: int) -> Iterator[Month]:
    """Every month from that of `since` on which had ended so many whole months before `at`."""
    begins, now = (each.astimezone(VIETNAM) for each in (since, at))
    month, last = Month(begins.year, begins.month), Month(now.year, now.month).plus(-1 - months_ago)
    while month.name <= last.name:
        yield month
        month = month.plus(1)
