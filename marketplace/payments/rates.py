"""Dollars in đồng: at the configured rate of the day on which the top-up is started, which the payer is shown."""

from __future__ import annotations

from datetime import date, datetime

from marketplace.calendar import VIETNAM
from marketplace.config import Config
from marketplace.payments.errors import NoRate

CENTS = 100


def dated_rates(config: Config) -> list[tuple[date, int]]:
    """(first day, đồng for a dollar), oldest first. Raises ValueError naming the variable."""
    try:
        pairs = [each.strip().split("=") for each in config.usd_rates_vnd.split(",") if each.strip()]
        rates = sorted((date.fromisoformat(day), int(rate)) for day, rate in pairs)
    except ValueError as error:
        raise ValueError("SANDULIEU_USD_RATES_VND: YYYY-MM-DD=đồng,… is expected") from error
    if any(rate < CENTS for _, rate in rates):
        raise ValueError("SANDULIEU_USD_RATES_VND: a rate below 100 đồng")
    return rates


def usd_rate(config: Config, at: datetime) -> int:
    """đồng for a dollar on that day in Viet Nam. Raises NoRate."""
    day = at.astimezone(VIETNAM).date()
    found = [rate for first, rate in dated_rates(config) if first <= day]
    if not found:
        raise NoRate(currency="USD")
    return found[-1]


def in_vnd(amount: int, rate_vnd: int | None) -> int:
    """Whole đồng, half up; `rate_vnd` None: the amount is in đồng already, else in cents."""
    return amount if rate_vnd is None else (2 * amount * rate_vnd + CENTS) // (2 * CENTS)
