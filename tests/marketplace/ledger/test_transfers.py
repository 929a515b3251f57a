"""Holds, posts, voids, linked transfers; floors; repeats."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.ledger.accounts import account_id, open_account
from marketplace.ledger.actions import Movement, hold, post, transfer, transfers, void
from marketplace.ledger.errors import CurrencyMixed, HoldResolved, InsufficientFunds, NoAccount, TransferDiffers
from marketplace.ledger.reads import balance, trial_balance
from marketplace.ledger.reconcile import reconcile
from tests.marketplace.ledger.books import Books, open_books


@pytest.fixture
async def books(session: AsyncSession) -> Books:
    return await open_books(session, credit=1_000)


async def test_a_hold_counts_against_the_floor_until_it_is_voided(session: AsyncSession, books: Books) -> None:
    held = new_id()
    await hold(session, id=held, debit=books.wallet, credit=books.platform, amount=900, code="query_hold")
    with pytest.raises(InsufficientFunds) as refused:
        await transfer(
            session, id=new_id(), debit=books.wallet, credit=books.platform, amount=101, code="query_charge"
        )
    shown = {"available_vnd": 100, "needed_vnd": 101, "missing_vnd": 1, "line": 1}
    assert shown.items() <= refused.value.params.items()
    await void(session, id=new_id(), hold_id=held, code="query_void")
    await transfer(
        session, id=new_id(), debit=books.wallet, credit=books.platform, amount=1_000, code="query_charge"
    )
    assert (await balance(session, books.wallet)).available == 0


async def test_a_refused_transfer_leaves_the_unit_of_work_usable_and_the_books_unchanged(
    session: AsyncSession, books: Books
) -> None:
    before = await balance(session, books.wallet)
    with pytest.raises(InsufficientFunds):
        await hold(
            session, id=new_id(), debit=books.wallet, credit=books.platform, amount=1_001, code="query_hold"
        )
    assert await balance(session, books.wallet) == before


async def test_a_posted_hold_moves_its_whole_amount_once(session: AsyncSession, books: Books) -> None:
    held, posted = new_id(), new_id()
    before = (await balance(session, books.platform)).balance
    await hold(session, id=held, debit=books.wallet, credit=books.platform, amount=400, code="query_hold")
    await post(session, id=posted, hold_id=held, code="query_charge")
    found = await balance(session, books.wallet)
    assert (found.balance, found.available, found.debits_pending) == (600, 600, 0)
    assert (await balance(session, books.platform)).balance == before + 400
    await post(session, id=posted, hold_id=held, code="query_charge")
    assert (await balance(session, books.wallet)).balance == 600
    with pytest.raises(HoldResolved):
        await void(session, id=new_id(), hold_id=held, code="query_void")
    with pytest.raises(HoldResolved):
        await post(session, id=new_id(), hold_id=held, code="query_charge")


async def test_linked_transfers_are_made_all_or_none(session: AsyncSession, books: Books) -> None:
    first = Movement(
        id=new_id(), kind="single", code="share_owner", debit=books.wallet, credit=books.earnings, amount=600
    )
    second = Movement(
        id=new_id(), kind="single", code="share_state", debit=books.wallet, credit=books.platform, amount=401
    )
    with pytest.raises(InsufficientFunds):
        await transfers(session, [first, second])
    assert (await balance(session, books.earnings)).balance == 0
    await transfers(session, [first])
    with pytest.raises(TransferDiffers):
        await transfers(session, [first, second])
    assert (await balance(session, books.wallet)).balance == 400


async def test_the_same_transfer_again_changes_nothing_and_another_body_is_refused(
    session: AsyncSession, books: Books
) -> None:
    made = new_id()
    for _ in range(2):
        await transfer(session, id=made, debit=books.wallet, credit=books.platform, amount=5, code="query_charge")
    assert (await balance(session, books.wallet)).balance == 995
    with pytest.raises(TransferDiffers):
        await transfer(session, id=made, debit=books.wallet, credit=books.platform, amount=6, code="query_charge")
    with pytest.raises(TransferDiffers):
        await transfer(session, id=made, debit=books.wallet, credit=books.earnings, amount=5, code="query_charge")


async def test_unknown_accounts_holds_and_mixed_currencies_are_refused(
    session: AsyncSession, books: Books
) -> None:
    dollars = await open_account(session, organisation_id=None, kind="platform", currency="USD")
    with pytest.raises(CurrencyMixed):
        await transfer(session, id=new_id(), debit=books.wallet, credit=dollars, amount=1, code="x")
    with pytest.raises(NoAccount):
        await transfer(session, id=new_id(), debit=books.wallet, credit=new_id(), amount=1, code="x")
    with pytest.raises(NoAccount):
        await post(session, id=new_id(), hold_id=new_id(), code="query_charge")


async def test_a_single_transfer_cannot_be_posted_as_if_it_were_a_hold(
    session: AsyncSession, books: Books
) -> None:
    made = new_id()
    await transfer(session, id=made, debit=books.wallet, credit=books.platform, amount=5, code="query_charge")
    with pytest.raises(NoAccount):
        await post(session, id=new_id(), hold_id=made, code="query_charge")


@pytest.mark.parametrize("amount", [-1, 10**15 + 1])
async def test_amounts_out_of_range_are_a_fault_of_ours(session: AsyncSession, books: Books, amount: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        await transfer(session, id=new_id(), debit=books.wallet, credit=books.platform, amount=amount, code="x")


async def test_the_balance_of_an_earlier_instant_is_what_it_was(session: AsyncSession, books: Books) -> None:
    held = new_id()
    await hold(session, id=held, debit=books.wallet, credit=books.platform, amount=300, code="query_hold")
    then = utcnow()
    await post(session, id=new_id(), hold_id=held, code="query_charge")
    before = await balance(session, books.wallet, at=then)
    assert (before.balance, before.available) == (1_000, 700)
    assert (await balance(session, books.wallet, at=utcnow())).available == 700


async def test_debits_equal_credits(session: AsyncSession, books: Books) -> None:
    await transfer(session, id=new_id(), debit=books.wallet, credit=books.earnings, amount=77, code="x")
    trial = await trial_balance(session)
    assert trial.balanced
    assert {line.account_id: line.balance for line in trial.lines}[books.earnings] == 77


async def test_32_clients_spend_one_wallet_and_it_never_goes_below_zero(database: Database) -> None:
    async with database.session() as session:
        books = await open_books(session, credit=1_000)

    async def spend(number: int) -> list[UUID]:
        made = []
        for turn in range(6):
            held = new_id()
            try:
                async with database.session() as session:
                    await hold(
                        session, id=held, debit=books.wallet, credit=books.platform, amount=10, code="query_hold"
                    )
                async with database.session() as session:
                    assert (await balance(session, books.wallet)).available >= 0
                    if (number + turn) % 4 == 0:
                        await void(session, id=new_id(), hold_id=held, code="query_void")
                    else:
                        await post(session, id=new_id(), hold_id=held, code="test_charge")
                        made.append(held)
            except InsufficientFunds:
                continue
        return made

    charged = [each for made in await asyncio.gather(*(spend(n) for n in range(32))) for each in made]
    async with database.session() as session:
        left = await balance(session, books.wallet)
        differences = [d for d in await reconcile(session) if d.subject == str(books.wallet)]
    assert left.balance == 1_000 - 10 * len(charged)
    assert left.balance == 0
    assert left.debits_pending == 0
    assert differences == []


async def test_opposite_transfers_between_wallets_do_not_deadlock(database: Database) -> None:
    async with database.session() as session:
        one, two = await open_books(session, credit=500), await open_books(session, credit=500)

    async def swap(debit: UUID, credit: UUID) -> None:
        for _ in range(10):
            async with database.session() as session:
                await transfer(session, id=new_id(), debit=debit, credit=credit, amount=1, code="x")

    ways = [(one.wallet, two.wallet), (two.wallet, one.wallet)] * 8
    await asyncio.gather(*(swap(*way) for way in ways))
    async with database.session() as session:
        assert [(await balance(session, each.wallet)).balance for each in (one, two)] == [500, 500]


async def test_the_same_transfer_sent_by_two_at_once_is_made_once(database: Database) -> None:
    async with database.session() as session:
        books = await open_books(session, credit=100)
    made = new_id()

    async def send() -> None:
        async with database.session() as session:
            await transfer(session, id=made, debit=books.wallet, credit=books.platform, amount=7, code="x")

    await asyncio.gather(*(send() for _ in range(8)), return_exceptions=True)
    await send()
    async with database.session() as session:
        assert (await balance(session, books.wallet)).balance == 93


async def test_reconcile_names_what_was_tampered_with(session: AsyncSession, books: Books) -> None:
    assert [d for d in await reconcile(session) if d.subject == str(books.wallet)] == []
    await session.execute(
        text("update account_balance set credits_posted = credits_posted + 1 where account_id = :id"),
        {"id": books.wallet},
    )
    await session.execute(text("update account set floor = 2000 where id = :id"), {"id": books.wallet})
    found = {(d.check, d.expected, d.found) for d in await reconcile(session) if d.subject == str(books.wallet)}
    assert found == {("balance_is_fold:credits_posted", 1_000, 1_001), ("floor_held", 2_000, 1_001)}


async def test_reconcile_names_a_forgotten_hold_and_a_charge_without_usage(
    session: AsyncSession, books: Books
) -> None:
    held, forgotten, query = new_id(), new_id(), new_id()
    for each in (held, forgotten):
        await hold(session, id=each, debit=books.wallet, credit=books.platform, amount=3, code="query_hold")
    await post(session, id=new_id(), hold_id=held, code="query_charge", query_id=query)
    found = {(d.check, d.subject) for d in await reconcile(session, hold_lifetime_s=0)}
    assert ("hold_not_forgotten", str(forgotten)) in found
    assert ("usage_is_charged", str(query)) in found
    assert ("hold_not_forgotten", str(held)) not in found
    assert ("hold_not_forgotten", str(forgotten)) not in {
        (d.check, d.subject) for d in await reconcile(session, hold_lifetime_s=60)
    }


async def test_an_account_is_opened_once(session: AsyncSession, books: Books) -> None:
    again = await open_account(session, organisation_id=None, kind="platform")
    assert again == books.platform == account_id(None, "platform")
