"""Many transfers in one call: of each what became of it; linked ones all or none, and which of them failed."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.ledger.accounts import open_account
from marketplace.ledger.actions import Movement, hold, transfers
from marketplace.ledger.batch import Outcome, transfer_each
from marketplace.ledger.errors import (
    AtOnce,
    CurrencyMixed,
    FundsShort,
    HoldResolved,
    InsufficientFunds,
    NoAccount,
    TransferDiffers,
)
from marketplace.ledger.reads import balance
from tests.marketplace.ledger.books import Books, open_books


@pytest.fixture
async def books(session: AsyncSession) -> Books:
    return await open_books(session, credit=1_000)


def moves(debit: UUID, credit: UUID, amount: int) -> Movement:
    return Movement(id=new_id(), kind="single", code="x", debit=debit, credit=credit, amount=amount)


def told(outcomes: list[Outcome]) -> list[tuple[str, type[Exception] | None]]:
    return [(each.became, type(each.cause) if each.cause else None) for each in outcomes]


async def test_a_batch_tells_of_each_movement_what_became_of_it(session: AsyncSession, books: Books) -> None:
    dollars = await open_account(session, organisation_id=None, kind="platform", currency="USD")
    before = moves(books.wallet, books.earnings, 100)
    await transfers(session, [before])
    other = Movement(id=before.id, kind="single", code="x", debit=books.wallet, credit=books.earnings, amount=7)
    groups = [
        [moves(books.wallet, books.earnings, 600)],
        [moves(books.wallet, books.earnings, 301)],
        [moves(books.wallet, books.platform, 100), moves(books.wallet, books.earnings, 201)],
        [moves(books.wallet, new_id(), 1)],
        [moves(books.wallet, dollars, 1)],
        [moves(books.wallet, books.earnings, 300)],
    ]
    assert told(await transfer_each(session, groups)) == [
        ("made", None),
        ("refused", InsufficientFunds),
        ("refused", InsufficientFunds),
        ("refused", InsufficientFunds),
        ("refused", NoAccount),
        ("refused", CurrencyMixed),
        ("made", None),
    ]
    assert told(await transfer_each(session, [[before], *groups[:2]])) == [
        ("existed", None),
        ("existed", None),
        ("refused", InsufficientFunds),
    ]
    assert told(await transfer_each(session, [[other]])) == [("refused", TransferDiffers)]
    assert (await balance(session, books.wallet)).balance == 0
    assert (await balance(session, books.earnings)).balance == 1_000


async def test_of_two_in_a_batch_that_resolve_one_hold_the_first_does(session: AsyncSession, books: Books) -> None:
    key = new_id()
    await hold(session, id=key, debit=books.wallet, credit=books.platform, amount=10, code="x")
    both = [[Movement(id=new_id(), kind=kind, code="x", hold_id=key)] for kind in ("void", "post")]
    assert told(await transfer_each(session, both)) == [("made", None), ("refused", HoldResolved)]


async def test_a_batch_may_hold_and_post_what_it_held(session: AsyncSession, books: Books) -> None:
    key = new_id()
    held = Movement(id=key, kind="pending", code="x", debit=books.wallet, credit=books.platform, amount=10)
    posted = Movement(id=new_id(), kind="post", code="x", hold_id=key, amount=4)
    assert told(await transfer_each(session, [[held], [posted]])) == [("made", None)] * 2
    assert (await balance(session, books.wallet)).available == 996


async def test_money_that_comes_in_a_group_cannot_be_spent_in_it_and_in_a_batch_it_can(
    session: AsyncSession, books: Books
) -> None:
    other = await open_books(session, credit=0)
    there, back = moves(books.wallet, other.wallet, 500), moves(other.wallet, books.platform, 500)
    with pytest.raises(InsufficientFunds) as refused:
        await transfers(session, [there, back])
    assert refused.value.params["transfer_id"] == str(back.id)
    assert told(await transfer_each(session, [[there], [back]])) == [("made", None)] * 2


async def test_linked_transfers_name_the_one_that_failed(session: AsyncSession, books: Books) -> None:
    linked = [moves(books.wallet, books.earnings, 400) for _ in range(4)]
    with pytest.raises(InsufficientFunds) as short:
        await transfers(session, linked)
    assert (short.value.params["line"], short.value.params["transfer_id"]) == (3, str(linked[2].id))
    wrong = moves(books.wallet, new_id(), 1)
    with pytest.raises(NoAccount) as unknown:
        await transfers(session, [linked[0], wrong])
    assert (unknown.value.params["line"], unknown.value.params["transfer_id"]) == (2, str(wrong.id))
    assert (await balance(session, books.wallet)).balance == 1_000


async def test_a_wallet_of_dollars_says_so(session: AsyncSession) -> None:
    wallet = await open_account(session, organisation_id=None, kind=f"t{new_id()}", currency="USD", floor=0)
    other = await open_account(session, organisation_id=None, kind="platform", currency="USD")
    with pytest.raises(FundsShort) as refused:
        await transfers(session, [moves(wallet, other, 5)])
    assert refused.value.params.items() >= {"currency": "USD", "available": 0, "needed": 5}.items()


async def test_the_database_itself_refuses_mixed_currencies_and_accounts_that_are_not_there(
    session: AsyncSession, books: Books
) -> None:
    dollars = await open_account(session, organisation_id=None, kind="platform", currency="USD")
    for credit, currency in ((dollars, "VND"), (books.platform, "USD"), (new_id(), "VND")):
        with pytest.raises(IntegrityError, match="transfer_one_currency"):
            async with session.begin_nested():
                await session.execute(
                    text("""
                        insert into transfer
                            (id, kind, debit_account_id, credit_account_id, amount, currency, code, at)
                        values (gen_random_uuid(), 'single', :debit, :credit, 1, :currency, 'x', now())"""),
                    {"debit": books.wallet, "credit": credit, "currency": currency},
                )


@pytest.mark.parametrize("change", ["update account set currency = 'USD'", "update account set id = :new"])
async def test_an_account_keeps_its_id_and_its_currency(session: AsyncSession, books: Books, change: str) -> None:
    with pytest.raises(Exception, match="keeps its id"):
        await session.execute(text(f"{change} where id = :id"), {"id": books.wallet, "new": new_id()})


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [Movement(id=UUID(int=1), kind="single", code="x", debit=UUID(int=2), credit=UUID(int=3), amount=1)] * 2,
    ],
)
async def test_an_empty_batch_and_one_id_twice_are_faults_of_ours(
    session: AsyncSession, wrong: list[Movement]
) -> None:
    with pytest.raises(ValueError, match="batch"):
        await transfer_each(session, [[each] for each in wrong])
    with pytest.raises(ValueError, match="linked"):
        await transfers(session, wrong)


async def test_batches_over_the_same_wallets_in_any_order_do_not_wait_for_each_other(database: Database) -> None:
    async with database.session() as session:
        some = [await open_books(session, credit=10) for _ in range(3)]
    wallets = [each.wallet for each in some]

    async def send(number: int) -> list[Outcome]:
        turned = wallets[number % 3 :] + wallets[: number % 3]
        if number % 2:
            turned.reverse()
        async with database.session() as session:
            return await transfer_each(session, [[moves(each, some[0].platform, 3)] for each in turned])

    outcomes = [each for sent in await asyncio.gather(*(send(n) for n in range(8))) for each in sent]
    assert told(outcomes).count(("made", None)) == 9
    async with database.session() as session:
        assert [(await balance(session, each)).balance for each in wallets] == [1, 1, 1]


async def test_the_same_transfer_made_by_two_at_once_is_told_so_and_found_on_the_next_try(
    database: Database,
) -> None:
    async with database.session() as session:
        books = await open_books(session, credit=100)
    one = moves(books.earnings, books.platform, 7)  # no floor, so nothing is locked

    async def send() -> list[Outcome]:
        async with database.session() as session:
            return await transfer_each(session, [[one]])

    async with database.session() as first:
        await transfers(first, [one])
        second = asyncio.create_task(send())
        while not await database.all(text("select from pg_locks where not granted"), {}):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    with pytest.raises(AtOnce):
        await second
    assert told(await send()) == [("existed", None)]
