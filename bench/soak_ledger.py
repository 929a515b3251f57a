"""Part of `make soak`: SOAK_TRANSFERS transfers, at a cost that does not grow; then clients and PostgreSQL die."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

from msgspec import Struct

from bench.figure import quantile
from bench.ledger import Parties, open_parties
from marketplace.config import Config
from marketplace.db import embedded, migrate
from marketplace.db.base import new_id
from marketplace.db.engine import Database, open_database
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import MAX_LINKED, Movement
from marketplace.ledger.batch import transfer_each
from marketplace.ledger.folding import fold
from marketplace.ledger.reads import balance
from marketplace.ledger.reconcile import reconcile
from tests.marketplace.ledger.bank import kill_clients, open_bank

TRANSFERS = int(os.environ.get("SOAK_TRANSFERS", "10000000"))
KILLS = int(os.environ.get("SOAK_KILLS", "20"))
STEPS = 10
CLIENTS = 4
GROWTH_MAX = 1.5
"""The last tenth may cost so many times the second: the first warms up."""


class Step(Struct, frozen=True):
    transfers: int
    us_each: float
    balance_ms: float


def main() -> int:
    """0 when the cost stayed flat, the books agree, and no death left anything in between."""
    print(f"soak of the ledger: {TRANSFERS:,} transfers, {KILLS} deaths", flush=True)
    with tempfile.TemporaryDirectory(prefix="sdl-soak-") as folder:
        config = Config(home=Path(folder))
        migrate.upgrade(config)
        try:
            return asyncio.run(_soak(config))
        finally:
            embedded.stop(config.home)


async def _soak(config: Config) -> int:
    database = open_database(config, connections=40)
    parties = await open_parties(database)
    steps = [await _step(database, parties, number) for number in range(STEPS)]
    started = time.perf_counter()
    async with database.snapshot() as session:
        differences = await reconcile(session)
    print(f"reconciled in {time.perf_counter() - started:.1f} s: {len(differences)} differences", flush=True)
    await database.close()
    wrong = str(differences) if differences else ""
    growth = steps[-1].us_each / steps[1].us_each
    print(f"cost of a transfer in the last tenth: {growth:.2f} × that in the second", flush=True)
    if growth > GROWTH_MAX:
        wrong = f"the cost grew: {growth:.2f}"
    wrong = wrong or await _deaths(config)
    print(wrong or "all in agreement", flush=True)
    return 1 if wrong else 0


async def _step(database: Database, parties: Parties, number: int) -> Step:
    """A tenth of the transfers: wallets pay into the exchange's account, in batches."""
    each = TRANSFERS // STEPS
    started = time.perf_counter()
    await asyncio.gather(*(_pay(database, parties, n, each // CLIENTS) for n in range(CLIENTS)))
    took = time.perf_counter() - started
    await fold(database)
    step = Step((number + 1) * each, took / each * 1e6, await _balance_ms(database))
    print(
        f"{step.transfers:>12,} transfers: {step.us_each:6.1f} µs each;"
        f" balance of the busiest {step.balance_ms:.2f} ms",
        flush=True,
    )
    return step


async def _pay(database: Database, parties: Parties, number: int, count: int) -> None:
    wallet, platform = account_id(parties.startups[number], "wallet"), account_id(None, "platform")
    for done in range(0, count, MAX_LINKED):
        batch = [
            [Movement(id=new_id(), kind="single", code="soak", debit=wallet, credit=platform, amount=1)]
            for _ in range(min(MAX_LINKED, count - done))
        ]
        async with database.session() as session:
            assert {each.became for each in await transfer_each(session, batch)} == {"made"}


async def _balance_ms(database: Database) -> float:
    """Median of 50, of the account that is in every transfer."""
    taken = []
    for _ in range(50):
        started = time.perf_counter()
        async with database.reading() as session:
            await balance(session, account_id(None, "platform"))
        taken.append(time.perf_counter() - started)
    return quantile(taken, 0.5) * 1000


async def _deaths(config: Config) -> str:
    """Clients die at once; every other time PostgreSQL dies with them, and recovers."""
    for number in range(KILLS):
        database = open_database(config, connections=40)
        if number == 0:
            wallets = [each.wallet for each in await open_bank(database)]
        wrong = await kill_clients(config, database, wallets, seed=number, server=number % 2 == 1)
        await database.close()
        if wrong:
            return f"after death {number}: {wrong}"
    return ""
