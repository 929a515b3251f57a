"""The regulator's search: p95 of a first page by kind of filter beside reading the rows, and what the index costs.

`BENCH_REGULATOR_EVENTS` (20,000 unless told; the goal is for 10 million: 14 GB of disk). Beyond a million the rest
are copies of the first, a year each (`copied_log`).
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
from sqlalchemy.dialects import postgresql

from bench.copied_log import copied
from bench.figure import figure, quantile
from bench.home import fresh_home
from marketplace.audit.reads import Viewer
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.engine import Database
from marketplace.db.roles import OWNER
from marketplace.oversight.finding import found
from marketplace.oversight.indexer import index_once
from marketplace.oversight.search import Search, rows
from tests.marketplace.oversight import filling
from tests.marketplace.oversight.filling import BEGAN, CODES, DATASETS, STARTUPS, numbered

EVENTS = int(os.environ.get("BENCH_REGULATOR_EVENTS", "20000"))
WRITTEN = min(EVENTS, 1_000_000)
YEARS = EVENTS // WRITTEN
PROBES = 60
PAGE = 51
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
REGULATOR = Viewer(uuid4(), uuid4(), "regulator")
GOAL_MS = 200
Kind = Callable[[random.Random], Search]


def _some(kind: str, count: int) -> Callable[[random.Random], Any]:
    return lambda chance: numbered(kind, int(count * chance.random() ** 3))


startup, dataset = _some("star", STARTUPS), _some("data", DATASETS)


def _month(chance: random.Random) -> dict[str, Any]:
    since = BEGAN + timedelta(days=chance.randrange(365 * YEARS - 35))
    return {"since": since, "until": since + timedelta(days=30)}


KINDS: dict[str, Kind] = {
    "party": lambda c: Search(organisation_id=startup(c)),
    "dataset": lambda c: Search(dataset_id=dataset(c)),
    "purpose": lambda c: Search(purpose=c.choice(filling.PURPOSES)),
    "event": lambda c: Search(name=c.choice(filling.NAMES)[0]),
    "denied": lambda _: Search(decision="deny"),
    "reason": lambda c: Search(code=c.choice(CODES)),
    "month": lambda c: Search(**_month(c)),
    "amount": lambda c: Search(min_vnd=c.choice((5_000, 900_000))),
    "frequent words": lambda _: Search(q="thu nhập"),
    "rare words": lambda _: Search(q="hiem gap"),
    "party, month, denied": lambda c: Search(organisation_id=startup(c), decision="deny", **_month(c)),
    "party, dataset, amount": lambda c: Search(organisation_id=startup(c), dataset_id=dataset(c), min_vnd=40_000),
    "frequent terms that never meet": lambda _: Search(name="query:settle", decision="deny"),
}
AS_WRITTEN = {"thu nhập": "Thu nhập", "hiem gap": "hiếm gặp"}


async def figures() -> list[dict[str, Any]]:
    """On a fresh database of `EVENTS` events, 200 startups, 400 datasets; a warm cache."""
    async with fresh_home(connections=2, folder=os.environ.get("BENCH_DIR")) as (config, database):
        cost = await _filled(database, embedded.url(config.home, OWNER))
        return await _searched(database, config) + cost


async def _filled(database: Database, url: str) -> list[dict[str, Any]]:
    began = time.perf_counter()
    filling.fill(url, filling.rows(WRITTEN))
    between = time.perf_counter()
    _say(f"{WRITTEN:,} events in {between - began:.0f} s")
    blocks = await index_once(database)
    indexed = time.perf_counter()
    _say(f"{blocks} blocks indexed in {indexed - between:.0f} s")
    if YEARS > 1:
        for events in copied(url, events=WRITTEN, copies=YEARS - 1):
            _say(f"{events:,} events after {time.perf_counter() - indexed:.0f} s more")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        size = "SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest(array[{}]) t"
        index, log = ("'search_posting', 'search_term', 'search_block'", "'event', 'event_salt', 'audit_leaf'")
        (index_bytes,) = connection.execute(size.format(index).encode()).fetchone() or (0,)
        (log_bytes,) = connection.execute(size.format(log).encode()).fetchone() or (0,)
    plain = (between - began) / WRITTEN * 1e6
    every = (indexed - began) / WRITTEN * 1e6
    bytes_each = (float(index_bytes) + float(log_bytes)) / EVENTS
    return [
        figure("regulator: an event stored and indexed", every, "µs", n=WRITTEN, baseline=plain),
        figure("regulator: bytes of an event with index", bytes_each, "B", n=EVENTS,
               baseline=float(log_bytes) / EVENTS),
    ]  # fmt: skip


async def _searched(database: Database, config: Config) -> list[dict[str, Any]]:
    found_by, every = [], []
    for name, kind in KINDS.items():
        chance = random.Random(name)
        took = await _probes(database, kind, chance)
        every += took
        found_by.append(
            figure(f"regulator: search by {name}, p95", quantile(took, 0.95), "ms", n=PROBES,
                   baseline=_read_all(config, kind(chance)))
        )  # fmt: skip
    p95 = quantile(every, 0.95)
    return [
        *found_by,
        figure(f"regulator: search over {EVENTS:,} events, p95", p95, "ms", n=len(every), goal=GOAL_MS),
    ]


async def _probes(database: Database, kind: Kind, chance: random.Random) -> list[float]:
    took = []
    async with database.reading() as session:
        for probe in range(PROBES + 2):
            search = kind(chance)
            began = time.perf_counter()
            count = 0
            async for _event in found(session, REGULATOR, search):
                count += 1
                if count == PAGE:
                    break
            if probe > 1:
                took.append((time.perf_counter() - began) * 1000)
    return took


def _read_all(config: Config, search: Search) -> float:
    """The same page from the rows alone, in ms."""
    bare = msgspec.structs.replace(search, organisation_id=None, decision=None, code=None)
    conditions = [
        str(each.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
        for each in rows(REGULATOR, bare)
    ]
    # SQLAlchemy writes neither arrays nor documents as literals.
    if search.organisation_id is not None:
        conditions.append(f"event.parties @> '{{{search.organisation_id}}}'")
    if search.decision is not None:
        conditions.append(f"event.body -> 'decision' ->> 'allow' = '{str(search.decision == 'allow').lower()}'")
    if search.code is not None:
        conditions.append(f"event.body -> 'decision' -> 'reasons' @> '[{{\"code\": \"{search.code}\"}}]'")
    if search.q is not None:
        conditions.append(f"event.body::text LIKE '%{AS_WRITTEN[search.q]}%'")
    query = f"SELECT * FROM event WHERE {' AND '.join(conditions)} ORDER BY at DESC, id DESC LIMIT {PAGE}"
    with psycopg.connect(embedded.url(config.home, OWNER)) as connection:
        for way in ("indexscan", "bitmapscan", "indexonlyscan"):
            connection.execute(f"SET enable_{way} = off".encode())
        began = time.perf_counter()
        connection.execute(query.encode()).fetchall()
        return (time.perf_counter() - began) * 1000


def _say(told: str) -> None:
    print(told, file=sys.stderr, flush=True)
