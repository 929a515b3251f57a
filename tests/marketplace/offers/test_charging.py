"""Charges without a query: what is due, once each, never below the floor; an unpaid agreement asks nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from sqlalchemy import select, update

from marketplace.agreements.models import Agreement
from marketplace.audit.models import Event
from marketplace.billing.accounts import ensure_accounts
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import transfer
from marketplace.ledger.models import Transfer
from marketplace.ledger.reads import balance
from marketplace.listings.models import DatasetVersion
from marketplace.offers.charging import charge_months
from marketplace.offers.models import Charge, Offer
from marketplace.publications.models import VersionWithdrawal
from marketplace.queries.errors import AgreementUnpaid
from marketplace.queries.facts import read_facts
from marketplace.queries.models import Query, QueryLine
from marketplace.queries.prepare import require_paid
from marketplace.spending.models import MonthSpend
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.api import Client
from tests.marketplace.broken_audit import broken_audit

BEGAN, ENDS = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)
FEE = {"law": "data-law-60-2024", "month_vnd": 3_000}


class Subscriber(Struct, frozen=True):
    """A startup whose agreement, on these terms, was in force from mid-January to early March."""

    sides: Sides
    agreement_id: UUID

    @property
    def wallet(self) -> UUID:
        return account_id(self.sides.startup.organisation.id, "wallet")

    async def credit(self, database: Database, amount: int) -> None:
        async with database.session() as session:
            funding = account_id(None, "funding")
            await transfer(
                session, id=new_id(), debit=funding, credit=self.wallet, amount=amount, code="wallet_credit"
            )

    async def spend(self, database: Database, month: str, vnd: int) -> None:
        row = MonthSpend(
            agreement_id=self.agreement_id, person_id=self.sides.startup.person.id, month=month,
            organisation_id=self.sides.startup.organisation.id, dataset_id=self.sides.dataset_id,
            queries=1, vnd=vnd, trial_queries=0, trial_vnd=0,
        )  # fmt: skip
        async with database.session() as session:
            session.add(row)

    async def charges(self, database: Database) -> list[tuple[str, str, int]]:
        async with database.session() as session:
            rows = select(Charge.period, Charge.code, Charge.amount_vnd)
            found = await session.execute(rows.where(Charge.agreement_id == self.agreement_id))
            return sorted((row.period, row.code, row.amount_vnd) for row in found)

    async def events(self, database: Database) -> list[str]:
        async with database.session() as session:
            rows = select(Event.name).where(Event.agreement_id == self.agreement_id).order_by(Event.id)
            return list((await session.scalars(rows)).all())


async def subscribe(database: Database, *, credit: int, **terms: Any) -> Subscriber:
    sides = await open_sides(database)
    agreement_id = await sides.agreement(database)
    async with database.session() as session:
        for party in (sides.startup, sides.owner):
            await ensure_accounts(session, party.organisation)
        offer = Offer(id=new_id(), dataset_id=sides.dataset_id, name="monthly", number=1, terms=terms)
        session.add(offer)
        await session.flush()
        agreement = await session.get_one(Agreement, agreement_id)
        agreement.offer_id, agreement.valid_from, agreement.expires_at = offer.id, BEGAN, ENDS
        versions = update(DatasetVersion).where(DatasetVersion.dataset_id == sides.dataset_id)
        await session.execute(versions.values(created_at=BEGAN - timedelta(days=90)))
    subscriber = Subscriber(sides, agreement_id)
    if credit:
        await subscriber.credit(database, credit)
    return subscriber


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (BEGAN - timedelta(days=1), []),
        (BEGAN + timedelta(minutes=1), [("2026-01", "month", 50_000), ("2026-01", "statutory_fee", 3_000)]),
        (
            datetime(2026, 4, 2, tzinfo=UTC),
            [
                ("2026-01", "minimum", 30_000), ("2026-01", "month", 50_000), ("2026-01", "statutory_fee", 3_000),
                ("2026-02", "month", 50_000), ("2026-02", "statutory_fee", 3_000),
                ("2026-03", "minimum", 39_999), ("2026-03", "month", 50_000), ("2026-03", "statutory_fee", 3_000),
            ],
        ),
    ],
)  # fmt: skip
async def test_each_month_in_force_is_charged_and_what_its_minimum_lacks_once_it_is_over(
    database: Database, at: datetime, due: list[tuple[str, str, int]]
) -> None:
    terms = {"month_vnd": 50_000, "minimum_month_vnd": 90_000, "statutory_fee": FEE}
    subscriber = await subscribe(database, credit=1_000_000, **terms)
    for month, vnd in (("2026-01", 10_000), ("2026-02", 40_000), ("2026-03", 1)):
        await subscriber.spend(database, month, vnd)
    await charge_months(database, at=at)
    assert await subscriber.charges(database) == sorted(due)
    assert await subscriber.events(database) == ["charge:make"] * len(due)
    async with database.session() as session:
        wallet = await balance(session, subscriber.wallet)
    assert wallet.balance == 1_000_000 - sum(vnd for _, _, vnd in due)


async def test_the_minimum_waits_for_a_query_of_the_month_that_is_not_settled(database: Database) -> None:
    subscriber = await subscribe(database, credit=1_000_000, month_vnd=50_000, minimum_month_vnd=60_000)
    sides, after = subscriber.sides, datetime(2026, 2, 3, tzinfo=UTC)
    async with database.session() as session:
        query = Query(
            organisation_id=sides.startup.organisation.id, person_id=sides.startup.person.id,
            purpose="research.academic", sql="select 1", state="running", decision={}, bytes=0, quote_vnd=9_000,
            created_at=BEGAN,
        )  # fmt: skip
        session.add(query)
        await session.flush()
        session.add(
            QueryLine(
                query_id=query.id, agreement_id=subscriber.agreement_id, decision_id=query.id,
                dataset_id=sides.dataset_id, owner_id=sides.owner.organisation.id, columns=[], bytes=0,
                quote_vnd=9_000,
            )
        )  # fmt: skip
    await charge_months(database, at=after)
    month = [(f"2026-0{each}", "month", 50_000) for each in (1, 2)]
    assert await subscriber.charges(database) == month
    async with database.session() as session:
        (await session.get_one(Query, query.id)).state = "failed"
    await charge_months(database, at=after)
    assert await subscriber.charges(database) == [("2026-01", "minimum", 10_000), *month]


async def test_a_month_in_which_nothing_was_listed_costs_nothing(database: Database) -> None:
    subscriber = await subscribe(database, credit=1_000_000, month_vnd=50_000, minimum_month_vnd=60_000)
    async with database.session() as session:
        rows = select(DatasetVersion.id).where(DatasetVersion.dataset_id == subscriber.sides.dataset_id)
        version_id = (await session.scalars(rows)).one()
        session.add(
            VersionWithdrawal(
                version_id=version_id, dataset_id=subscriber.sides.dataset_id, reason="quality", note="",
                bars_answers=False, withdrawn_by=subscriber.sides.owner.person.id,
                withdrawn_at=BEGAN + timedelta(days=3),
            )
        )  # fmt: skip
    await charge_months(database, at=datetime(2026, 4, 2, tzinfo=UTC))
    assert await subscriber.charges(database) == [("2026-01", "minimum", 10_000), ("2026-01", "month", 50_000)]


async def test_charged_again_and_by_many_at_once_it_is_charged_once(database: Database) -> None:
    subscriber = await subscribe(database, credit=1_000_000, month_vnd=50_000)
    done = await asyncio.gather(*(charge_months(database, at=ENDS) for _ in range(6)), return_exceptions=True)
    assert any(isinstance(each, int) for each in done)
    await charge_months(database, at=ENDS + timedelta(days=3))
    assert await subscriber.charges(database) == [(f"2026-0{month}", "month", 50_000) for month in (1, 2, 3)]
    async with database.session() as session:
        assert (await balance(session, subscriber.wallet)).balance == 850_000


async def test_an_agreement_that_cannot_be_charged_keeps_no_other_from_it(
    database: Database, config: Config
) -> None:
    subscribers = [await subscribe(database, credit=1_000_000, month_vnd=50_000) for _ in range(2)]
    broken, whole = sorted(subscribers, key=lambda one: one.agreement_id.bytes)
    due = [("2026-01", "month", 50_000)]
    at = BEGAN + timedelta(minutes=1)
    with broken_audit(config, broken.sides.startup.organisation.id):
        await charge_months(database, at=at)
    assert await broken.charges(database) == []
    assert await whole.charges(database) == due
    await charge_months(database, at=at)
    assert await broken.charges(database) == due


async def test_every_charge_is_shared_out_and_the_fee_is_the_states(database: Database) -> None:
    subscriber = await subscribe(database, credit=100_000, month_vnd=50_000, statutory_fee=FEE)
    await charge_months(database, at=BEGAN + timedelta(minutes=1))
    async with database.session() as session:
        charges = (
            await session.scalars(select(Charge).where(Charge.agreement_id == subscriber.agreement_id))
        ).all()
        for charge in charges:
            row = await session.get_one(Transfer, charge.transfer_id)
            assert (row.code, row.amount, row.debit_account_id) == (
                f"charge_{charge.code}", charge.amount_vnd, subscriber.wallet,
            )  # fmt: skip
        rows = select(Transfer.code, Transfer.amount).where(Transfer.dataset_id == subscriber.sides.dataset_id)
        shares = [(code, amount) for code, amount in await session.execute(rows)]
        owner = await balance(session, account_id(subscriber.sides.owner.organisation.id, "earnings"))
    assert ("charge_state", 3_000) in shares
    (earned,) = [amount for code, amount in shares if code == "charge_owner"]
    assert 0 < earned == owner.balance < 50_000


async def test_what_the_wallet_does_not_cover_suspends_the_agreement_until_it_does(database: Database) -> None:
    subscriber = await subscribe(database, credit=60_000, month_vnd=50_000)
    for _ in range(2):
        await charge_months(database, at=ENDS)
    assert await subscriber.charges(database) == [("2026-01", "month", 50_000)]
    assert await subscriber.events(database) == ["charge:make", "agreement:suspend"]

    async def facts() -> Any:
        sides = subscriber.sides
        return await read_facts(
            database, caller=sides.startup.caller, agreement_ids=[subscriber.agreement_id], purpose="x"
        )

    with pytest.raises(AgreementUnpaid):
        require_paid(await facts())
    async with database.session() as session:
        assert (await balance(session, subscriber.wallet)).balance == 10_000, "never below its floor"
    await subscriber.credit(database, 90_000)
    await charge_months(database, at=ENDS + timedelta(hours=1))
    assert await subscriber.charges(database) == [(f"2026-0{month}", "month", 50_000) for month in (1, 2, 3)]
    assert (await subscriber.events(database))[2:] == ["charge:make", "charge:make", "agreement:resume"]
    require_paid(await facts())


async def test_a_debt_under_an_agreement_that_was_ended_holds_back_the_next(database: Database) -> None:
    owing = await subscribe(database, credit=0, month_vnd=50_000)
    await charge_months(database, at=BEGAN + timedelta(minutes=1))
    async with database.session() as session:
        agreement = await session.get_one(Agreement, owing.agreement_id)
        agreement.ended_at = BEGAN + timedelta(days=1)
    following = await owing.sides.agreement(database)

    async def require() -> None:
        caller = owing.sides.startup.caller
        require_paid(await read_facts(database, caller=caller, agreement_ids=[following], purpose="x"))

    with pytest.raises(AgreementUnpaid):
        await require()
    await owing.credit(database, 50_000)
    await charge_months(database, at=BEGAN + timedelta(days=2))
    await require()


async def test_both_sides_see_a_charge_and_nobody_else(client: Client, database: Database) -> None:
    subscriber = await subscribe(database, credit=1_000_000, month_vnd=50_000)
    await charge_months(database, at=ENDS)
    sides, path = subscriber.sides, "/api/v1/charges"
    assert (await client.get(path)).status_code == 401
    for actor in ("regulator", "operator"):
        assert (await client.get(path, token=sides.tokens[actor])).status_code == 403
    for actor in ("rival startup", "rival owner"):
        assert (await client.get(path, token=sides.tokens[actor])).json()["items"] == []
    for actor in ("startup analyst", "owner steward"):
        page = (await client.get(path, token=sides.tokens[actor])).json()
        assert [each["period"] for each in page["items"]] == ["2026-03", "2026-02", "2026-01"]
        one = (await client.get(f"{path}?period=2026-02", token=sides.tokens[actor])).json()
        assert [each["amount_vnd"] for each in one["items"]] == [50_000]
    wrong = await client.get(f"{path}?period=2026-13", token=sides.startup.token)
    assert wrong.status_code == 400


async def test_an_agreement_that_ended_pays_no_later_month(database: Database) -> None:
    subscriber = await subscribe(database, credit=1_000_000, month_vnd=50_000)
    async with database.session() as session:
        agreement = await session.get_one(Agreement, subscriber.agreement_id)
        agreement.ended_at = datetime(2026, 2, 2, tzinfo=UTC)
    await charge_months(database, at=ENDS)
    assert await subscriber.charges(database) == [(f"2026-0{month}", "month", 50_000) for month in (1, 2)]


async def test_an_offer_without_months_charges_none(database: Database) -> None:
    subscriber = await subscribe(database, credit=1_000, per_query_micro=1)
    await charge_months(database, at=ENDS)
    assert await subscriber.charges(database) == []
    assert await subscriber.events(database) == []
