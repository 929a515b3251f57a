"""What queries cost in a month, counted as they are held: no number of them at once gets past a bound."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.billing.terms import Terms, Trial
from marketplace.db.engine import Database
from marketplace.ledger.accounts import account_id
from marketplace.ledger.errors import InsufficientFunds
from marketplace.ledger.reads import balance
from marketplace.spending.errors import LimitReached, PriceMoved
from marketplace.spending.models import MonthSpend
from tests.marketplace.spending.buyer import CREDIT_VND, Buyer, open_buyer

AT_ONCE = 32


async def rush(database: Database, buyer: Buyer, vnd: int, **how: Any) -> Counter[str]:
    """So many at once; how many entered, or why not."""
    tries = (buyer.enter(database, vnd, **how) for _ in range(AT_ONCE))
    ended = await asyncio.gather(*tries, return_exceptions=True)
    return Counter(type(each).__name__ for each in ended)


async def counted_in(database: Database, buyer: Buyer) -> tuple[int, int, int]:
    """Queries, đồng, đồng held in the wallet."""
    async with database.session() as session:
        sums = select(func.sum(MonthSpend.queries), func.sum(MonthSpend.vnd))
        row = (await session.execute(sums.where(MonthSpend.organisation_id == buyer.organisation_id))).one()
        wallet = await balance(session, account_id(buyer.organisation_id, "wallet"))
    return int(row[0] or 0), int(row[1] or 0), wallet.debits_pending


@pytest.mark.parametrize("scope", ["organisation", "dataset", "person"])
async def test_of_many_at_once_no_more_enter_than_the_limit_pays(database: Database, scope: str) -> None:
    buyer = await open_buyer(database)
    scopes = {
        "organisation": {},
        "dataset": {"dataset_id": buyer.sides.dataset_id},
        "person": {"person_id": buyer.sides.startup.person.id},
    }
    await buyer.limit(database, 10_500, **scopes[scope])
    assert await rush(database, buyer, 1_000) == {"Part": 10, "LimitReached": 22}
    assert await counted_in(database, buyer) == (10, 10_000, 10_000)
    with pytest.raises(LimitReached) as reached:
        await buyer.enter(database, 501)
    assert reached.value.params == {
        "scope": scope, "month_vnd": 10_500, "spent_vnd": 10_000, "needed_vnd": 501,
    }  # fmt: skip
    await buyer.enter(database, 500)
    await buyer.enter(database, 0)
    assert await counted_in(database, buyer) == (12, 10_500, 10_500)


async def test_what_was_free_after_all_makes_room_again(database: Database) -> None:
    buyer = await open_buyer(database)
    await buyer.limit(database, 1_000)
    part = await buyer.enter(database, 1_000)
    with pytest.raises(LimitReached):
        await buyer.enter(database, 1)
    await buyer.leave(database, part)
    assert await counted_in(database, buyer) == (0, 0, 0)
    await buyer.enter(database, 1_000)


async def test_the_limit_of_another_dataset_or_person_stands_against_nothing(database: Database) -> None:
    buyer, other = await open_buyer(database), await open_buyer(database)
    await buyer.limit(database, 0, dataset_id=other.sides.dataset_id)
    await buyer.limit(database, 0, person_id=other.sides.startup.person.id)
    await buyer.enter(database, 1_000)
    await other.limit(database, 0)
    await buyer.enter(database, 1_000)
    assert await counted_in(database, buyer) == (2, 2_000, 2_000)


async def test_of_many_at_once_so_many_are_a_trials(database: Database) -> None:
    buyer = await open_buyer(database)
    terms = Terms(trial=Trial(queries=7))
    assert await rush(database, buyer, 0, terms=terms, trial_vnd=900) == {"Part": 7, "PriceMoved": 25}
    budget = Terms(trial=Trial(budget_vnd=7 * 900 + 100))
    with pytest.raises(PriceMoved):
        await buyer.enter(database, 0, terms=budget, trial_vnd=101)
    await buyer.enter(database, 0, terms=budget, trial_vnd=100)


async def test_of_many_at_once_none_gets_past_the_months_cap(database: Database) -> None:
    buyer = await open_buyer(database)
    terms = Terms(cap_month_vnd=5_000)
    assert await rush(database, buyer, 1_000, terms=terms) == {"Part": 5, "PriceMoved": 27}
    await buyer.enter(database, 0, terms=terms)
    assert await counted_in(database, buyer) == (6, 5_000, 5_000)


async def test_what_the_wallet_does_not_pay_is_not_counted(database: Database) -> None:
    buyer = await open_buyer(database)
    with pytest.raises(InsufficientFunds):
        await buyer.enter(database, CREDIT_VND + 1)
    assert await counted_in(database, buyer) == (0, 0, 0)
