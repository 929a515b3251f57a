"""Many clients move money between accounts, abort at random, or are killed: no đồng comes or goes."""

from __future__ import annotations

import asyncio
import random

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Problem
from marketplace.ledger.actions import Movement, transfers
from marketplace.ledger.folding import fold
from tests.marketplace.ledger.bank import EACH, WALLETS, drawn, kill_clients, open_bank, totals

CLIENTS = 40


class Abort(Exception):
    """The client changed its mind after it had written."""


async def test_40_clients_that_abort_at_random_neither_make_nor_lose_a_dong(database: Database) -> None:
    bank = await open_bank(database)
    # With a floor and without: the earnings may go below zero, the wallets may not.
    accounts = [each.wallet for each in bank] + [bank[0].earnings]
    made: list[Movement] = []
    seen: list[int] = []
    outcomes = {"made": 0, "refused": 0, "aborted": 0}

    async def client(number: int) -> None:
        chance = random.Random(number)
        for _ in range(5):
            linked = drawn(chance, accounts)
            try:
                async with database.session() as session:
                    await transfers(session, linked)
                    if chance.random() < 0.3:
                        raise Abort
            except Abort:
                outcomes["aborted"] += 1
            except Problem:
                outcomes["refused"] += 1
            else:
                outcomes["made"] += 1
                made.extend(linked)

    async def watch(clients: asyncio.Future[list[None]]) -> None:
        while not clients.done():
            found = await totals(database, accounts)
            assert min(found[:WALLETS]) >= 0
            seen.append(sum(found))
            await fold(database)

    clients = asyncio.gather(*(client(n) for n in range(CLIENTS)))
    await asyncio.gather(clients, watch(clients))
    assert set(seen) == {WALLETS * EACH}
    assert min(outcomes.values()) > 0
    expected = dict.fromkeys(accounts, EACH) | {bank[0].earnings: 0}
    for each in made:
        assert each.debit is not None
        assert each.credit is not None
        assert each.amount is not None
        expected[each.debit] -= each.amount
        expected[each.credit] += each.amount
    assert await totals(database, accounts) == list(expected.values())


async def test_clients_killed_in_the_middle_leave_all_or_nothing_of_each_group(
    config: Config, database: Database
) -> None:
    bank = await open_bank(database)
    for seed in range(2):
        assert await kill_clients(config, database, [each.wallet for each in bank], seed=seed) == ""
