"""Laws of a price's shares."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.split import (
    SHARES_LAW,
    VAT_LAW,
    NoRates,
    Rates,
    Shares,
    divide,
    rates_at,
    rates_on,
    split,
    split_between,
    vat_within,
)
from policies.laws import laws

DONG = st.integers(0, 10**12)
RATES = st.builds(
    lambda one, two, tax: Rates(
        owner_permille=min(one, two), state_permille=max(one, two) - min(one, two),
        platform_permille=1000 - max(one, two), vat_permille=tax,
    ), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 300),
)  # fmt: skip


@given(DONG, RATES)
def test_shares_sum_to_the_amount_and_each_is_within_a_dong_of_its_part(amount: int, rates: Rates) -> None:
    shares = split(amount, rates)
    assert shares.owner + shares.state + shares.tax + shares.platform == amount
    for share, weight in _beside(shares, rates):
        assert abs(share * (1000 + rates.vat_permille) - amount * weight) < 1000 + rates.vat_permille
        assert share >= 0
        assert share == 0 or weight > 0


@given(DONG, DONG, RATES)
def test_more_money_is_at_most_a_dong_less_to_anybody(amount: int, more: int, rates: Rates) -> None:
    before, after = split(amount, rates), split(amount + more, rates)
    assert all(b >= a - 1 for (a, _), (b, _) in zip(_beside(before, rates), _beside(after, rates), strict=True))


def _beside(shares: Shares, rates: Rates) -> list[tuple[int, int]]:
    return [
        (shares.owner, rates.owner_permille),
        (shares.state, rates.state_permille),
        (shares.tax, rates.vat_permille),
        (shares.platform, rates.platform_permille),
    ]


def test_left_over_dong_go_to_the_largest_remainders() -> None:
    whole = Rates(owner_permille=700, state_permille=100, platform_permille=200, vat_permille=0)
    assert split(1, whole) == Shares(owner=1, state=0, tax=0, platform=0)
    assert split(1_234, whole) == Shares(owner=864, state=123, tax=0, platform=247)
    taxed = msgspec.structs.replace(whole, vat_permille=80)
    assert split(1_080, taxed) == Shares(owner=700, state=100, tax=80, platform=200)
    assert split(2, taxed) == Shares(owner=1, state=0, tax=0, platform=1)


@pytest.mark.parametrize("permille", [(700, 100, 201), (-1, 1, 1000), (0, 0, 0)])
def test_shares_that_are_not_a_whole_are_refused(permille: tuple[int, int, int]) -> None:
    owner, state, platform = permille
    rates = Rates(owner_permille=owner, state_permille=state, platform_permille=platform, vat_permille=80)
    with pytest.raises(ValueError, match=r"1000 permille|not negative"):
        split(10, rates)


@given(DONG, st.lists(st.integers(0, 10**9), min_size=1, max_size=6).filter(any))
def test_parts_sum_to_the_whole_and_none_exceeds_its_exact_value_by_one(amount: int, weights: list[int]) -> None:
    parts = divide(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - amount * weight) < sum(weights)


def test_nothing_is_divided_among_nobody() -> None:
    assert divide(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="zero"):
        divide(1, [0, 0])


@given(DONG, DONG, st.integers(0, 300))
def test_tax_inside_a_price_is_rounded_once_half_up_and_never_falls(gross: int, more: int, rate: int) -> None:
    tax = vat_within(gross, rate)
    exact = Decimal(gross) * rate / (1000 + rate)
    assert abs(Decimal(tax) - exact) <= Decimal("0.5")
    assert tax <= vat_within(gross + more, rate) <= gross + more


def test_each_day_has_the_rates_of_its_law_by_viet_nams_calendar() -> None:
    last = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
    assert rates_at(last).vat_permille == rates_on(date(2025, 7, 1)).vat_permille == 80
    assert rates_at(last + timedelta(minutes=1)).vat_permille == rates_on(date(2027, 1, 1)).vat_permille == 100
    with pytest.raises(NoRates, match="2025-06-30"):
        rates_on(date(2025, 6, 30))


def test_no_day_is_without_rates_after_the_first_and_each_day_has_one_entry() -> None:
    for law in (SHARES_LAW, VAT_LAW):
        entries = laws()[law]
        assert [each.valid_to for each in entries] == [*(each.valid_from for each in entries[1:]), None]
        assert [each.until_ms for each in entries] == [*(each.from_ms for each in entries[1:]), None]
        assert all(split(1_000, rates_on(date.fromisoformat(each.valid_from))) for each in entries)


@given(DONG, st.integers(0, 10_000))
def test_two_owners_parts_sum_to_the_share_and_are_within_half_a_dong(amount: int, lead_basis_points: int) -> None:
    lead, partner = split_between(amount, lead_basis_points)
    assert lead + partner == amount
    assert min(lead, partner) >= 0
    assert abs(lead * 10_000 - amount * lead_basis_points) <= 5_000


@pytest.mark.parametrize("wrong", [(-1, 0), (1, -1), (1, 10_001)])
def test_two_owners_parts_of_nothing_sensible_are_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="basis points"):
        split_between(*wrong)
