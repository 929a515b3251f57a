"""A bank of wallets, what clients do with it, and clients that are killed while they do."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.base import new_id
from marketplace.db.engine import Database, open_database
from marketplace.errors import Problem
from marketplace.ledger.actions import Movement, transfers
from marketplace.ledger.folding import fold
from marketplace.ledger.reads import balance
from marketplace.ledger.reconcile import reconcile
from tests.marketplace.ledger.books import Books, open_books

WALLETS = 6
EACH = 500
TOLD_BEFORE_DEATH = 20


async def open_bank(database: Database) -> list[Books]:
    async with database.session() as session:
        return [await open_books(session, credit=EACH) for _ in range(WALLETS)]


def drawn(chance: random.Random, accounts: list[UUID]) -> list[Movement]:
    """A movement or several linked ones, some of them more than there is."""
    linked = []
    for _ in range(chance.randint(1, 3)):
        debit, credit = chance.sample(accounts, 2)
        amount = chance.randint(0, EACH // 2)
        linked.append(Movement(id=new_id(), kind="single", code="x", debit=debit, credit=credit, amount=amount))
    return linked


async def totals(database: Database, accounts: list[UUID]) -> list[int]:
    async with database.snapshot() as session:
        return [(await balance(session, each)).balance for each in accounts]


async def kill_clients(
    config: Config, database: Database, wallets: list[UUID], *, seed: int, server: bool = False
) -> str:
    """Start clients that move money between `wallets`, kill them at once, and look what they left.

    `server`: PostgreSQL dies first, and is started again. What a client was told is there; what it was not told is
    there whole or not at all. What is wrong, or nothing.
    """
    before = sum(await totals(database, wallets))
    command = [sys.executable, "-m", __name__, str(config.home), str(seed), *map(str, wallets)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = [await process.stdout.readline() for _ in range(TOLD_BEFORE_DEATH)]
    assert all(told), "the clients ended by themselves"
    if server:
        postmaster = (config.home / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
        os.kill(int(postmaster), signal.SIGKILL)
    process.send_signal(signal.SIGKILL)
    told += [line async for line in process.stdout]
    await process.wait()
    if server:
        await asyncio.to_thread(embedded.start, config.home)
    await _their_transactions_ended(database)
    return await _wrong(database, wallets, before, [UUID(each) for each in _ids(told)])


def _ids(told: list[bytes]) -> list[str]:
    """Of whole lines only: the last may have been cut."""
    return [key for line in told if line.endswith(b"\n") for key in line.decode().split()]


async def _wrong(database: Database, wallets: list[UUID], before: int, ids: list[UUID]) -> str:
    found = await totals(database, wallets)
    if sum(found) != before or min(found) < 0:
        return f"{before} became {found}"
    rows = await database.all(text("select id from transfer where id = any(:ids)"), {"ids": ids})
    if len(rows) != len(ids):
        return f"{len(ids)} transfers were told and {len(rows)} are there"
    await fold(database)
    async with database.snapshot() as session:
        differences = [each for each in await reconcile(session) if each.account_id in wallets]
    return str(differences) if differences else ""


async def _their_transactions_ended(database: Database) -> None:
    """PostgreSQL notices that a client is gone when it next writes to it."""
    writing = text("select from pg_locks where relation = 'transfer'::regclass and mode = 'RowExclusiveLock'")
    while await database.all(writing, {}):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def _clients(home: Path, seed: str, accounts: list[UUID]) -> None:
    """Move and fold until killed; a line for each group that was committed: the ids of its transfers."""
    database = open_database(Config(home=home), connections=8)

    async def client(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        while True:
            linked = drawn(chance, accounts)
            try:
                async with database.session() as session:
                    await transfers(session, linked)
            except Problem:
                continue
            print(*(each.id for each in linked), flush=True)

    async def folds() -> None:
        while True:
            await fold(database)

    await asyncio.gather(folds(), *(client(n) for n in range(7)))


if __name__ == "__main__":
    asyncio.run(_clients(Path(sys.argv[1]), sys.argv[2], [UUID(each) for each in sys.argv[3:]]))
