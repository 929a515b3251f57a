"""Months as invoices have them: YYYY-MM in Viet Nam, over when its last instant there is past."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from msgspec import Struct

from marketplace.billing.split import rates_on
from marketplace.calendar import VIETNAM, month_start, next_month
from marketplace.errors import Invalid

MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


class Month(Struct, frozen=True):
    """`since` is included, `until` is not."""

    period: str
    since: datetime
    until: datetime


class Rate(Struct, frozen=True):
    """From one instant to another, the tax of that time."""

    since: datetime
    until: datetime
    vat_permille: int


def month_of(period: str) -> Month:
    """Raises Invalid for anything but YYYY-MM."""
    found = MONTH.fullmatch(period)
    if found is None:
        raise Invalid(errors=[{"path": "period", "code": "request.month", "params": {"value": period[:20]}}])
    return Month(period, month_start(period), month_start(next_month(period)))


def rates_of(month: Month) -> list[Rate]:
    """The tax of each part of the month in which it stayed the same. Raises NoRates."""
    parts: list[Rate] = []
    day = month.since
    while day < month.until:
        following = day + timedelta(days=1)
        permille = rates_on(day.astimezone(VIETNAM).date()).vat_permille
        if parts and parts[-1].vat_permille == permille:
            parts[-1] = Rate(parts[-1].since, following, permille)
        else:
            parts.append(Rate(day, following, permille))
        day = following
    return parts
