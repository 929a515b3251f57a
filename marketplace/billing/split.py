"""How a price is shared: dated weights of the law book, whole đồng, nothing lost or made (largest remainder).

A price is gross: value added tax is inside it. The parties' permille are of the net, so of 1,000 + rate parts of a
price the rate's are the tax.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct

from marketplace.calendar import VIETNAM
from policies.laws import laws

SHARES_LAW, VAT_LAW = "exchange.shares", "vat-law-48-2024.rate"
"""The entries of law.json whose `values` are the permille."""


class NoRates(LookupError):
    """No shares or no tax are configured for that day."""


class Rates(Struct, frozen=True, kw_only=True):
    """What a day's prices are shared by, in permille: of the net price the first three, on top of it the tax."""

    owner_permille: int
    state_permille: int
    platform_permille: int
    vat_permille: int


class Shares(Struct, frozen=True, kw_only=True):
    """đồng of the owner, the state budget, the tax office and the platform."""

    owner: int
    state: int
    tax: int
    platform: int


def rates_on(day: date) -> Rates:
    """Those of a day in Viet Nam. Raises NoRates."""
    values: dict[str, int] = {}
    for law in (SHARES_LAW, VAT_LAW):
        held = (found for begins, ends, found in _periods(law) if begins <= day < ends)
        values |= next(held, {})
    try:
        rates = msgspec.convert(values, Rates)
    except msgspec.ValidationError as e:
        raise NoRates(f"{day}: {SHARES_LAW}, {VAT_LAW}: {e}") from e
    return rates


def rates_at(at: datetime) -> Rates:
    """Those of the day that it was in Viet Nam. Raises NoRates."""
    return rates_on(at.astimezone(VIETNAM).date())


def split(amount_vnd: int, rates: Rates) -> Shares:
    """Shares that sum to the amount exactly; each within one đồng of its part.

    Left-over đồng go to the largest remainders; at a tie to the owner, the state, the tax. Raises ValueError.
    """
    if rates.owner_permille + rates.state_permille + rates.platform_permille != 1_000:
        raise ValueError(f"{rates}: not 1000 permille together")
    weights = (rates.owner_permille, rates.state_permille, rates.vat_permille, rates.platform_permille)
    owner, state, tax, platform = divide(amount_vnd, weights)
    return Shares(owner=owner, state=state, tax=tax, platform=platform)


def divide(amount: int, weights: Sequence[int]) -> list[int]:
    """Whole parts in proportion to the weights, which sum to the amount; no part exceeds its exact value by one.

    Raises ValueError for anything negative, and for an amount with nobody to give it to.
    """
    total = sum(weights)
    if amount < 0 or min(weights, default=0) < 0 or (amount and not total):
        raise ValueError(f"amount {amount}, weights {weights}: not negative, and not all zero")
    if not amount:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    remainders = [amount * weight % total for weight in weights]
    for place in sorted(range(len(parts)), key=lambda i: -remainders[i])[: amount - sum(parts)]:
        parts[place] += 1
    return parts


def split_between(amount_vnd: int, lead_basis_points: int) -> tuple[int, int]:
    """The lead's and the partner's part, which sum to the amount; half a đồng is the lead's. Raises ValueError."""
    if amount_vnd < 0 or not 0 <= lead_basis_points <= 10_000:
        raise ValueError(f"amount {amount_vnd}, basis points {lead_basis_points}")
    lead = (2 * amount_vnd * lead_basis_points + 10_000) // 20_000
    return lead, amount_vnd - lead


def vat_within(gross_vnd: int, vat_permille: int) -> int:
    """The tax inside a gross amount: gross × rate ÷ (1,000 + rate), rounded once, half up; net is the rest.

    It never falls as the amount grows, so what is credited in parts never exceeds what was charged.
    """
    if gross_vnd < 0 or vat_permille < 0:
        raise ValueError(f"gross {gross_vnd}, rate {vat_permille} permille")
    whole = 1_000 + vat_permille
    return (2 * gross_vnd * vat_permille + whole) // (2 * whole)


@functools.cache
def _periods(law: str) -> tuple[tuple[date, date, dict[str, int]], ...]:
    """First day, first day no more, and what holds between them."""
    return tuple(
        (
            date.fromisoformat(entry.valid_from),
            date.fromisoformat(entry.valid_to) if entry.valid_to else date.max,
            msgspec.convert(entry.values, dict[str, int]),
        )
        for entry in laws()[law]
    )
