"""Money: how many holds and settles a second at 32 connections, beside one plain INSERT a transaction."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from bench.figure import figure, quantile
from bench.home import fresh_home
from marketplace.accounts.models import Organisation
from marketplace.audit.actions import recorded
from marketplace.billing.accounts import ensure_accounts
from marketplace.billing.actions import Part, query_charge, query_hold, require_held
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.together import Statement
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import booking, require_made, transfer
from marketplace.ledger.reconcile import reconcile
from marketplace.metering.actions import usage_recorded

CLIENTS = 32
SECONDS = 4.0
PRICE_VND = 1_234
USED = {"rows": 16, "bytes": 100_000}
BODY = {
    "decision_id": UUID(int=1), "decision": {}, "facts": {"root": "", "size": 0},
    "settled": {"root": "", "size": 0}, "usage": USED, "columns": [],
    "outcome": "ready", "failure": None, "result_sha256": None,
}  # fmt: skip
PLAIN = text("insert into login_attempt (id, email_hash, address, at) values (:id, '\\x00', 'bench', now())")


class Parties(Struct, frozen=True):
    startups: tuple[UUID, ...]
    owner: UUID


async def figures() -> list[dict[str, Any]]:
    """On a fresh embedded database with fsync on; every client in this one process."""
    async with fresh_home(connections=CLIENTS) as (_, database):
        parties = await open_parties(database)
        plain = await _rate(lambda n: _plain(database))
        spread = await _rate(lambda n: _query(database, parties.startups[n], parties.owner))
        hot = await _rate(lambda n: _query(database, parties.startups[0], parties.owner))
        plain_ms, hold_ms, settle_ms = await _alone(database, parties)
        async with database.session() as session:
            assert await reconcile(session) == ()
    return [
        figure(
            "ledger: hold and settle, 32 wallets", spread, "queries/s", n=CLIENTS, baseline=plain, better="higher"
        ),
        figure(
            "ledger: hold and settle, one wallet", hot, "queries/s", n=CLIENTS, baseline=plain, better="higher"
        ),
        figure("ledger: hold, one client, p50", hold_ms, "ms", n=300, baseline=plain_ms),
        figure("ledger: settle, one client, p50", settle_ms, "ms", n=300, baseline=plain_ms),
    ]


async def open_parties(database: Database) -> Parties:
    async with database.session() as session:
        made = []
        for n, kind in enumerate(["startup"] * CLIENTS + ["owner"]):
            organisation = Organisation(id=new_id(), kind=kind, name=f"o{n}", slug=f"o{n}")
            session.add(organisation)
            await session.flush()
            await ensure_accounts(session, organisation)
            made.append(organisation.id)
        funding = account_id(None, "funding")
        for startup in made[:CLIENTS]:
            wallet = account_id(startup, "wallet")
            await transfer(session, id=new_id(), debit=funding, credit=wallet, amount=10**12, code="bench")
    return Parties(tuple(made[:CLIENTS]), made[CLIENTS])


async def _rate(work: Callable[[int], Awaitable[object]]) -> float:
    """Pieces of work done per second by CLIENTS at once."""
    until = time.perf_counter() + SECONDS

    async def client(number: int) -> int:
        for done in itertools.count():
            if time.perf_counter() >= until:
                return done
            await work(number)
        raise AssertionError

    started = time.perf_counter()
    done = await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return sum(done) / (time.perf_counter() - started)


async def _plain(database: Database) -> None:
    async with database.unit() as unit:
        await unit.send([Statement(PLAIN, {"id": new_id()})])


async def _query(database: Database, startup: UUID, owner: UUID) -> tuple[float, float]:
    """What one query does to the database: hold in one transaction, settle in another; seconds of each."""
    query, start = new_id(), time.perf_counter()
    part = Part(query_id=query, dataset_id=owner, owner_id=owner, hold_id=new_id(), amount_vnd=PRICE_VND)
    hold = query_hold(part, startup_id=startup)
    async with database.unit() as unit:
        ((verdict,),) = await unit.send([booking([hold])])
        require_held(verdict, [hold])
    between = time.perf_counter()
    charge = query_charge(part)
    usage = usage_recorded(
        query_id=query, organisation_id=startup, owner_id=owner, person_id=owner, agreement_id=owner,
        dataset_id=owner, version_id="v", outcome="ready", bytes=100_000, rows=16, cpu_us=1, wall_us=1,
        peak_memory_bytes=1, price_vnd=PRICE_VND,
    )  # fmt: skip
    event = recorded(
        "query:settle", parties=(startup, owner), dataset_id=owner, query_id=query, price_vnd=PRICE_VND, body=BODY
    )
    async with database.unit() as unit:
        made, *_ = await unit.send([booking(charge), usage, event])
        require_made(made[0], charge)
    return between - start, time.perf_counter() - between


async def _alone(database: Database, parties: Parties) -> tuple[float, float, float]:
    """Milliseconds, medians of 300 in turn: a plain insert, a hold, a settle; each with its commit."""
    plain, holds, settles = [], [], []
    for _ in range(300):
        started = time.perf_counter()
        await _plain(database)
        plain.append(time.perf_counter() - started)
        hold, settle = await _query(database, parties.startups[0], parties.owner)
        holds.append(hold)
        settles.append(settle)
    return quantile(plain, 0.5) * 1000, quantile(holds, 0.5) * 1000, quantile(settles, 0.5) * 1000
