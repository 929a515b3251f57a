"""The nightly proof: it agrees over real queries, and names each difference that somebody makes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.models import Event
from marketplace.billing.actions import Part, query_charge, query_hold
from marketplace.calendar import day_of, day_start
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.ledger.actions import transfers
from marketplace.metering.agreeing import EVENT, agree, compare
from marketplace.metering.jobs import DAYS_BACK, agree_on_days
from tests.marketplace.metering.test_usage import used
from tests.marketplace.spending.buyer import Buyer, open_buyer

PRICE_VND = 700
FAR = date(2031, 5, 4)
"""A day on which nothing else happens in the tests' database."""


async def paid(session: AsyncSession, buyer: Buyer, *, at_used: date = FAR, price_vnd: int = PRICE_VND) -> Part:
    """A query that was held, charged and recorded as used; the use says another price if told."""
    part = Part(
        query_id=new_id(), dataset_id=buyer.sides.dataset_id, owner_id=buyer.sides.owner.organisation.id,
        hold_id=new_id(), amount_vnd=PRICE_VND,
    )  # fmt: skip
    await transfers(session, [query_hold(part, startup_id=buyer.organisation_id)])
    await transfers(session, query_charge(part))
    await used(
        session, buyer.organisation_id, part.owner_id, query_id=part.query_id, dataset_id=part.dataset_id,
        agreement_id=buyer.agreement_id, person_id=buyer.sides.startup.person.id, price_vnd=price_vnd,
    )  # fmt: skip
    return part


async def today(session: AsyncSession, buyer: Buyer) -> list[tuple[str, Any, Any]]:
    """What is apart today of this buyer, its owner and what they did."""
    verdict = await compare(session, day_of(utcnow()))
    parties = {str(buyer.organisation_id), str(buyer.sides.owner.organisation.id)}
    return [
        (each.check, each.expected, each.found)
        for each in verdict.differences
        if each.subject in parties or each.check in ("use_is_posted", "post_is_used")
    ]


@pytest.fixture
async def buyer(database: Database) -> Buyer:
    return await open_buyer(database)


async def test_a_query_that_was_charged_and_used_agrees_everywhere(session: AsyncSession, buyer: Buyer) -> None:
    before = await today(session, buyer)
    await paid(session, buyer)
    assert await today(session, buyer) == before


async def test_a_use_that_says_another_price_is_named_by_everybody_who_sees_it(
    session: AsyncSession, buyer: Buyer
) -> None:
    before = await today(session, buyer)
    await paid(session, buyer, price_vnd=PRICE_VND + 1)
    wrong = (PRICE_VND, PRICE_VND + 1)
    assert sorted(set(await today(session, buyer)) - set(before)) == [
        ("owner_sees_vnd", *wrong), ("startup_sees_vnd", *wrong), ("use_is_posted", PRICE_VND + 1, PRICE_VND),
    ]  # fmt: skip


async def test_a_use_nobody_paid_for_and_a_payment_nobody_used_are_named(
    session: AsyncSession, buyer: Buyer
) -> None:
    before = await today(session, buyer)
    await used(session, buyer.organisation_id, buyer.sides.owner.organisation.id, price_vnd=5)
    part = Part(
        query_id=new_id(), dataset_id=buyer.sides.dataset_id, owner_id=buyer.sides.owner.organisation.id,
        hold_id=new_id(), amount_vnd=9,
    )  # fmt: skip
    await transfers(session, [query_hold(part, startup_id=buyer.organisation_id)])
    await transfers(session, query_charge(part))
    found = set(await today(session, buyer)) - set(before)
    assert {("use_is_posted", 5, None), ("post_is_used", 9, None), ("startup_sees_vnd", 0, 5)} <= found


async def test_each_day_gets_one_verdict_in_the_log(database: Database) -> None:
    at = day_start(FAR) + timedelta(hours=2)
    done: set[date] = set()
    assert await agree_on_days(database, at=at, done=done) == DAYS_BACK
    assert await agree_on_days(database, at=at, done=done) == 0
    async with database.session() as session:
        rows = select(Event.body).where(Event.name == EVENT, Event.body["day"].astext >= "2031-04-27")
        days = [(body["day"], body["agreed"]) for body in (await session.scalars(rows.order_by(Event.id))).all()]
    assert days == [((FAR - timedelta(days=back)).isoformat(), True) for back in range(DAYS_BACK, 0, -1)]


async def test_days_before_the_log_began_get_no_verdict(database: Database) -> None:
    assert await agree_on_days(database, at=day_start(date(2020, 1, 9)), done=set()) == 0


async def test_another_process_leaves_a_day_that_has_its_verdict(session: AsyncSession) -> None:
    day = day_of(utcnow()) - timedelta(days=400)
    assert await agree(session, day) is not None
    assert await agree(session, day) is None


async def test_what_a_month_counts_is_what_its_queries_cost(session: AsyncSession, buyer: Buyer) -> None:
    await session.execute(
        text("""
        insert into month_spend values (:agreement, to_char(now() at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM'),
            :person, :organisation, :dataset, 1, 77, 0, 0)
        """),
        {
            "agreement": buyer.agreement_id, "person": buyer.sides.startup.person.id,
            "organisation": buyer.organisation_id, "dataset": buyer.sides.dataset_id,
        },
    )  # fmt: skip
    verdict = await compare(session, day_of(utcnow()))
    mine = [each for each in verdict.differences if each.subject == str(buyer.agreement_id)]
    assert [(each.check, each.expected, each.found) for each in mine] == [("month_is_counted", None, 77)]
