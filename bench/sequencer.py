"""The sequencer at its own pace, from committed events to a published checkpoint, and proofs in what it made.

`BENCH_LEAVES=10000000 python -m bench.run sequencer` for the size that the log is meant for (half an hour);
`BENCH_PROOF_LEAVES=10000000` for proofs in a tree of that size alone (a few minutes).
"""

from __future__ import annotations

import os
import secrets
import statistics
import time
from typing import Any

import msgspec
from sqlalchemy import text

from bench import arriving
from bench.figure import figure
from bench.home import fresh_home
from bench.tagged import TAG, pads
from marketplace.audit import sequencer
from marketplace.audit.log_store import published_log
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import inclusion_proof
from marketplace.audit.publishing import publish
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.db.together import Statement

LEAVES = int(os.environ.get("BENCH_LEAVES", "50000"))
PROOF_LEAVES = int(os.environ.get("BENCH_PROOF_LEAVES", "50000"))
CHUNK = 50_000
BATCHES = 5
DATASETS = 50
PROBES = 400
EVENTS = text(f"""
    WITH made AS (
        INSERT INTO event (id, at, name, parties, dataset_id, body, commitment)
        SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), now(), 'query:settle', ARRAY[gen_random_uuid()],
            CASE WHEN n % 3 > 0 THEN CAST(lpad(to_hex(n % :datasets), 32, '0') AS uuid) END, '{{}}',
            sha256(int8send(n))
        FROM generate_series(CAST(:first AS bigint), :last) AS n RETURNING id, commitment
    )
    INSERT INTO pending_leaf SELECT id, {TAG} FROM made
""")
PLAIN = text("""
    INSERT INTO login_attempt (id, email_hash, address, at)
    SELECT id, decode(hash, 'hex'), 'bench', now()
    FROM json_to_recordset(CAST(:rows AS json)) AS attempt (id uuid, hash text)
""")

NO_LIMIT = text("SET LOCAL statement_timeout = 0")
NODE = text("SELECT FROM audit_node WHERE level = :level AND index = :index")
NODES = text("""
    INSERT INTO audit_node (level, index, hash)
    SELECT :level, n, sha256(int8send(n)) FROM generate_series(CAST(0 AS bigint), :last) AS n
    ON CONFLICT DO NOTHING
""")


async def figures() -> list[dict[str, Any]]:
    """On a fresh embedded database with fsync on."""
    async with fresh_home(connections=12) as (config, database):
        keys = Keys(config.path("keys"))
        plain = await _plain(database)
        rate = await _rate(database, keys, config)
        numbering, publishing = await _parts(database, keys, config)
        name = f"sequencer: {LEAVES:,} committed events to published leaves"
        return [
            figure(name, rate, "events/s", n=LEAVES, goal=10_000, better="higher"),
            figure("… beside plain rows, a statement a batch", rate, "events/s", n=LEAVES, baseline=plain,
                   better="higher"),
            figure("… of a batch: rows, hashes, commit", numbering, "ms", n=BATCHES),
            figure("… of a batch: tiles and checkpoint, synced, meanwhile", publishing, "ms", n=BATCHES),
            *await arriving.delays(database, keys, config),
            *await _proofs(database),
        ]  # fmt: skip


async def _plain(database: Database) -> float:
    """Rows a second, with nothing to compute, link or publish."""
    took = 0.0
    for _ in range(5):
        rows = [{"id": str(new_id()), "hash": secrets.token_hex(32)} for _ in range(sequencer.BATCH_EVENTS)]
        began = time.perf_counter()
        async with database.unit() as unit:
            await unit.send([Statement(PLAIN, {"rows": msgspec.json.encode(rows).decode()})])
        took += time.perf_counter() - began
    return 5 * sequencer.BATCH_EVENTS / took


async def _add(database: Database, keys: Keys, first: int, count: int) -> None:
    asked = {"first": first, "last": first + count - 1, "datasets": DATASETS, **pads(keys.event_tag())}
    async with database.unit() as unit:
        await unit.send([Statement(EVENTS, asked)])


async def _rate(database: Database, keys: Keys, config: Config) -> float:
    """Events a second of a backlog, until the checkpoint over all of them is shown."""
    took = 0.0
    for first in range(0, LEAVES, CHUNK):
        await _add(database, keys, first, min(CHUNK, LEAVES - first))
        began = time.perf_counter()
        await sequencer.sequence_once(database, keys, config)
        took += time.perf_counter() - began
    return LEAVES / took


async def _parts(database: Database, keys: Keys, config: Config) -> tuple[float, float]:
    """Milliseconds of a batch in the database and on the disk, one after the other; medians."""
    log, key = published_log(config), verifier_key(config.log_origin, keys.log_signing())
    numbering, publishing = [], []
    for number in range(BATCHES):
        await _add(database, keys, LEAVES + number * sequencer.BATCH_EVENTS, sequencer.BATCH_EVENTS)
        began = time.perf_counter()
        await sequencer._batch(database, keys, config, ())
        between = time.perf_counter()
        await publish(database, log, key)
        numbering.append((between - began) * 1000)
        publishing.append((time.perf_counter() - between) * 1000)
    return statistics.median(numbering), statistics.median(publishing)


async def _nodes(database: Database, size: int) -> None:
    """Every node of a tree of `size` leaves that is not there."""
    for level in range(size.bit_length()):
        last = (size >> level) - 1
        if not await database.all(NODE, {"level": level, "index": last}):
            async with database.unit() as unit:
                await unit.send([Statement(NO_LIMIT), Statement(NODES, {"level": level, "last": last})])


async def _proofs(database: Database) -> list[dict[str, Any]]:
    """In trees of several sizes: a proof looks at log2(n) nodes by their key. The largest is made of nodes that
    were put in bulk: where they are found costs the same whatever they say."""
    found = []
    for size in sorted({LEAVES // 100, LEAVES, max(LEAVES, PROOF_LEAVES)}):
        await _nodes(database, size)
        took = []
        async with database.reading() as session:
            for _ in range(PROBES):
                began = time.perf_counter()
                await inclusion_proof(session, secrets.randbelow(size), size)
                took.append((time.perf_counter() - began) * 1000)
        found.append(
            figure(f"inclusion proof among {size:,} leaves, p50", statistics.median(took), "ms", n=PROBES, goal=5)
        )
    return found
