"""Laws of a price: what it is the sum of, what it never exceeds, and how it grows."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from marketplace.billing.price import (
    GB,
    Measured,
    Standing,
    due_at_end,
    due_at_start,
    price,
    query_rate_micro,
)
from marketplace.billing.terms import MICRO, StatutoryFee, Terms, Tier, Trial

RATE = st.integers(0, 10**15)
DONG = st.integers(0, 10**9)
TRIALS = st.one_of(
    st.none(),
    st.builds(Trial, queries=st.integers(1, 20)),
    st.builds(Trial, budget_vnd=st.integers(1, 10**7)),
)


@st.composite
def tiers(draw: st.DrawFn, first_micro: int) -> tuple[Tier, ...]:
    places = sorted(draw(st.sets(st.integers(2, 1_000), max_size=4)))
    found, rate = [], first_micro
    for place in places:
        rate = draw(st.integers(0, rate))
        found.append(Tier(from_query=place, per_query_micro=rate))
    return tuple(found)


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    first = draw(RATE)
    return Terms(
        per_query_micro=first,
        tiers=draw(tiers(first)),
        per_gb_micro=draw(RATE),
        per_rho_micro=draw(RATE),
        per_row_micro=draw(RATE),
        per_cpu_second_micro=draw(RATE),
        trial=draw(TRIALS),
        month_vnd=draw(DONG),
        minimum_month_vnd=draw(DONG),
        cap_month_vnd=draw(st.none() | DONG),
    )


MEASURED = st.builds(
    Measured,
    bytes=st.integers(0, 10**13),
    rho_micro=st.integers(0, 10**7),
    rows=st.integers(0, 10**7),
    cpu_us=st.integers(0, 10**10),
)
STANDINGS = st.builds(
    Standing,
    queries=st.integers(0, 2_000),
    vnd=DONG,
    trial_queries=st.integers(0, 30),
    trial_vnd=st.integers(0, 2 * 10**7),
)


@given(all_terms(), MEASURED, STANDINGS)
def test_a_price_is_the_sum_of_its_lines_each_rounded_once_half_up(
    terms: Terms, measured: Measured, standing: Standing
) -> None:
    found = price(terms, measured, standing)
    assert found.total_vnd == sum(item.amount_vnd for item in found.items) >= 0
    for item in found.items:
        exact = Decimal(item.quantity) * Decimal(item.rate_micro) / Decimal(item.unit * MICRO)
        assert item.amount_vnd == int(exact.to_integral_value(ROUND_HALF_UP))
    assert found.items[0].code == "query", "whatever it costs, it is one query"


@given(all_terms(), MEASURED, MEASURED, STANDINGS)
def test_what_took_less_is_never_above_the_ceiling(
    terms: Terms, one: Measured, other: Measured, standing: Standing
) -> None:
    names = Measured.__struct_fields__
    most = Measured(**{name: max(getattr(one, name), getattr(other, name)) for name in names})
    ceiling = price(terms, most, standing).total_vnd
    assert max(price(terms, each, standing).total_vnd for each in (one, other)) <= ceiling


@given(all_terms(), MEASURED, STANDINGS)
def test_the_queries_of_a_month_never_cost_more_than_its_cap(
    terms: Terms, measured: Measured, standing: Standing
) -> None:
    found = price(terms, measured, standing).total_vnd
    if terms.cap_month_vnd is not None:
        assert found <= max(terms.cap_month_vnd - standing.vnd, 0)
    free = price(replace(terms, cap_month_vnd=None), measured, standing).total_vnd
    assert found in (free, max((terms.cap_month_vnd or 0) - standing.vnd, 0)), (
        "the cap takes off no more than it must"
    )


@given(all_terms(), st.integers(1, 2_000), st.integers(0, 2_000))
def test_a_later_place_in_the_month_never_costs_more(terms: Terms, place: int, later: int) -> None:
    assert query_rate_micro(terms, place + later) <= query_rate_micro(terms, place)


@given(st.builds(Trial, queries=st.integers(1, 20)), st.integers(0, 40), MEASURED)
def test_so_many_queries_of_a_trial_are_free_and_no_more(trial: Trial, used: int, measured: Measured) -> None:
    terms = Terms(per_query_micro=5 * MICRO, trial=trial)
    found = price(terms, measured, Standing(trial_queries=used))
    assert trial.queries is not None
    assert (found.total_vnd == 0, found.trial_vnd is not None) == (used < trial.queries,) * 2


@given(st.integers(1, 10**6), st.integers(0, 2 * 10**6), st.integers(0, 10**6))
def test_a_trial_budget_pays_what_is_left_of_it(budget: int, used: int, asked: int) -> None:
    terms = Terms(per_query_micro=asked * MICRO, trial=Trial(budget_vnd=budget))
    found = price(terms, Measured(bytes=0), Standing(trial_vnd=used))
    assert found.total_vnd == max(asked - max(budget - used, 0), 0)


@given(all_terms(), DONG)
def test_a_month_costs_its_minimum_at_least_and_not_a_dong_more_for_it(terms: Terms, queries_vnd: int) -> None:
    rest = sum(vnd for _, vnd in due_at_end(terms, queries_vnd=queries_vnd))
    paid = terms.month_vnd + queries_vnd
    assert paid + rest == max(paid, terms.minimum_month_vnd)


def test_lines_of_every_kind() -> None:
    terms = Terms(
        per_query_micro=1_000 * MICRO,
        tiers=(Tier(from_query=3, per_query_micro=400 * MICRO),),
        per_gb_micro=1 * MICRO,
        per_rho_micro=2_000 * MICRO,
        per_row_micro=1,
        per_cpu_second_micro=10 * MICRO,
        cap_month_vnd=2_000,
    )
    took = Measured(bytes=GB // 2, rho_micro=250_000, rows=600_000, cpu_us=1_500_000)
    found = price(terms, took, Standing(queries=2, vnd=1_200))
    assert [(item.code, item.amount_vnd) for item in found.items] == [
        ("query", 400), ("bytes", 1), ("rho", 500), ("rows", 1), ("cpu", 15), ("cap", -117),
    ]  # fmt: skip
    assert found.total_vnd == 800


def test_an_answer_without_rows_costs_one() -> None:
    assert price(Terms(per_row_micro=7 * MICRO), Measured(bytes=0)).total_vnd == 7


def test_free_is_a_price_too() -> None:
    found = price(Terms(), Measured(bytes=GB))
    assert ([item.code for item in found.items], found.total_vnd) == (["query"], 0)


def test_what_a_month_costs_without_a_query() -> None:
    terms = Terms(month_vnd=50_000, statutory_fee=StatutoryFee(law="x", month_vnd=3_000), minimum_month_vnd=90_000)
    assert due_at_start(terms) == (("month", 50_000), ("statutory_fee", 3_000))
    assert due_at_end(terms, queries_vnd=15_000) == (("minimum", 25_000),)
    assert due_at_start(Terms()) == due_at_end(Terms(), queries_vnd=0) == ()


@pytest.mark.parametrize("wrong", [{"bytes": -1}, {"bytes": 0, "rows": -1}, {"bytes": 0, "cpu_us": -1}])
def test_nothing_negative_has_a_price(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Measured"):
        price(Terms(), Measured(**wrong))
