"""Closing a month of usage into invoices, beside one statement that copies the same rows without any check."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import psycopg
from sqlalchemy import text

from bench.figure import figure
from bench.home import fresh_home
from bench.ledger import CLIENTS, Parties, open_parties
from marketplace.accounts.models import Organisation
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database, migration_url
from marketplace.invoices.closing import close_month
from marketplace.invoices.months import Month, month_of
from marketplace.tables import metadata

ROWS = 200_000
GOAL_ROWS_PER_S = 1_000_000 / 60
PERIOD = "2026-08"
PRICE_VND = 1_234
assert "invoice" in metadata.tables  # its foreign keys know every table
_USAGE = text("""
    insert into usage (id, query_id, organisation_id, owner_id, person_id, agreement_id, dataset_id, version_id,
        outcome, bytes, rows, elements, cpu_us, wall_us, peak_memory_bytes, price_vnd, at)
    select uuidv7(), uuidv7(), (cast(:startups as uuid[]))[1 + n % :startup_count],
        :owner, :owner, :owner, :owner, 'v1', 'ready', 1000, 1, 0, 1, 1, 1, :price,
        cast(:since as timestamptz) + make_interval(secs => n % 2500000)
    from generate_series(1, :rows) n
""")
_TAX = """
    insert into transfer (id, kind, debit_account_id, credit_account_id, amount, currency, code, query_id,
        dataset_id, at)
    select uuidv7(), 'single', p.id, v.id, 91, 'VND', 'share_tax', u.query_id, u.dataset_id, u.at
    from usage u, account p, account v where p.kind = 'platform' and v.kind = 'vat'
"""
_BARE = text("""
    insert into bare_item select id, :owner, dataset_id, 'query', 80, query_id, price_vnd from usage
""")


async def figures() -> list[dict[str, Any]]:
    """On a fresh embedded database with fsync on; usage of 32 startups, each with its tax in the ledger."""
    async with fresh_home(connections=CLIENTS) as (config, database):
        parties = await open_parties(database)
        month = month_of(PERIOD)
        await _fill(database, parties, month)
        await asyncio.to_thread(_set_tax_aside, config)
        bare = await _copied(database, parties)
        started = time.perf_counter()
        issued = await close_month(
            database, period=PERIOD, at=month.until + timedelta(hours=2), close_after_s=3_600
        )
        took = time.perf_counter() - started
    assert sum(one.gross_vnd for one in issued) == ROWS * PRICE_VND
    return [
        figure(
            "invoices: close a month, rows of usage", ROWS / took, "rows/s", n=ROWS, goal=GOAL_ROWS_PER_S,
            better="higher",
        ),
        figure(
            "invoices: close a month, beside its rows copied bare", took, "s", n=ROWS, baseline=bare,
        ),
    ]  # fmt: skip


async def _fill(database: Database, parties: Parties, month: Month) -> None:
    async with database.session() as session:
        session.add(Organisation(id=new_id(), kind="operator", name="x", slug="x"))
        given = {"startups": list(parties.startups), "startup_count": CLIENTS, "owner": parties.owner}
        await session.execute(_USAGE, {**given, "price": PRICE_VND, "since": month.since, "rows": ROWS})


def _set_tax_aside(config: Config) -> None:
    """A transfer a row, past the checks of the ledger: these are another benchmark's."""
    with psycopg.connect(migration_url(config)) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(_TAX)


async def _copied(database: Database, parties: Parties) -> float:
    """Seconds to copy the same rows into a table with a key and nothing else."""
    async with database.session() as session:
        await session.execute(text("create temporary table bare_item (like invoice_item)"))
        await session.execute(text("alter table bare_item add primary key (source_id)"))
        started = time.perf_counter()
        await session.execute(_BARE, {"owner": parties.owner})
        return time.perf_counter() - started
