"""A query's money: held, charged and shared, or given back."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.accounts.models import Organisation
from marketplace.audit.models import Event
from marketplace.billing.actions import credit_wallet
from marketplace.billing.errors import AmountOutOfRange, NoWallet
from marketplace.billing.split import rates_at, split
from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound
from marketplace.ledger.accounts import account_id
from marketplace.ledger.errors import HoldResolved, InsufficientFunds
from marketplace.ledger.models import Transfer
from marketplace.ledger.reads import balance
from tests.marketplace.billing.money import charge_query, hold_query, void_query
from tests.marketplace.parties import Make


class Parties(Struct, frozen=True):
    startup: Organisation
    owner: Organisation
    operator: Operator


@pytest.fixture
async def parties(session: AsyncSession, make: Make) -> Parties:
    startup = await make.organisation(session)
    owner = await make.organisation(session, kind="owner")
    operator = await make.caller(session, kind="operator", as_type=Operator)
    assert isinstance(operator, Operator)
    await credit(session, operator, startup.id, 10_000)
    return Parties(startup, owner, operator)


async def credit(
    session: AsyncSession, by: Operator, organisation_id: UUID, amount: int, transfer_id: UUID | None = None
) -> None:
    await credit_wallet(
        session, by=by, organisation_id=organisation_id, amount_vnd=amount, reference="UNC 1",
        transfer_id=transfer_id or new_id(),
    )  # fmt: skip


async def vnd(session: AsyncSession, kind: str, organisation_id: UUID | None = None) -> int:
    return (await balance(session, account_id(organisation_id, kind))).balance


async def test_a_charge_moves_the_whole_price_and_shares_it_out(session: AsyncSession, parties: Parties) -> None:
    platform, state = await vnd(session, "platform"), await vnd(session, "state_budget")
    tax = await vnd(session, "vat")
    query = new_id()
    held = await hold_query(session, query_id=query, startup_id=parties.startup.id, amount_vnd=1_234)
    await charge_query(session, hold_id=held, query_id=query, owner_id=parties.owner.id, amount_vnd=1_234)
    assert await vnd(session, "wallet", parties.startup.id) == 10_000 - 1_234
    shares = split(1_234, rates_at(utcnow()))
    assert await vnd(session, "earnings", parties.owner.id) == shares.owner
    assert await vnd(session, "state_budget") - state == shares.state
    assert await vnd(session, "platform") - platform == shares.platform
    assert await vnd(session, "vat") - tax == shares.tax > 0
    with pytest.raises(HoldResolved):
        await void_query(session, hold_id=held, query_id=query)


async def test_a_void_gives_everything_back(session: AsyncSession, parties: Parties) -> None:
    query = new_id()
    held = await hold_query(session, query_id=query, startup_id=parties.startup.id, amount_vnd=10_000)
    with pytest.raises(InsufficientFunds):
        await hold_query(session, query_id=new_id(), startup_id=parties.startup.id, amount_vnd=1)
    await void_query(session, hold_id=held, query_id=query)
    assert await hold_query(session, query_id=new_id(), startup_id=parties.startup.id, amount_vnd=10_000)
    assert await vnd(session, "earnings", parties.owner.id) == 0


async def test_a_free_query_can_be_held_and_charged(session: AsyncSession, parties: Parties) -> None:
    query = new_id()
    held = await hold_query(session, query_id=query, startup_id=parties.startup.id, amount_vnd=0)
    await charge_query(session, hold_id=held, query_id=query, owner_id=parties.owner.id, amount_vnd=0)
    assert await session.scalar(select(func.count()).where(Transfer.query_id == query)) == 2


async def test_who_has_no_wallet_has_nothing_to_spend(session: AsyncSession, parties: Parties) -> None:
    with pytest.raises(InsufficientFunds) as refused:
        await hold_query(session, query_id=new_id(), startup_id=new_id(), amount_vnd=5)
    assert refused.value.params["missing_vnd"] == 5


async def test_the_same_credit_again_is_booked_and_logged_once(session: AsyncSession, parties: Parties) -> None:
    transfer_id = new_id()
    for _ in range(2):
        await credit(session, parties.operator, parties.startup.id, 5_000, transfer_id)
    assert await vnd(session, "wallet", parties.startup.id) == 15_000
    logged = select(func.count()).where(
        Event.name == "wallet:credit", Event.body["transfer"].astext == str(transfer_id)
    )
    assert await session.scalar(logged) == 1


@pytest.mark.parametrize("amount", [-5, 0, 999, 100_000_000_001])
async def test_credits_have_limits(session: AsyncSession, parties: Parties, amount: int) -> None:
    with pytest.raises(AmountOutOfRange):
        await credit(session, parties.operator, parties.startup.id, amount)


async def test_only_startups_are_credited(session: AsyncSession, parties: Parties) -> None:
    with pytest.raises(NoWallet):
        await credit(session, parties.operator, parties.owner.id, 5_000)
    with pytest.raises(NotFound):
        await credit(session, parties.operator, new_id(), 5_000)
