"""From an event's commit to the checkpoint over it, while events arrive steadily, one a transaction."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from typing import Any

from sqlalchemy import text

from bench.figure import figure
from bench.tagged import TAG, pads
from marketplace.audit.sequencer import run_sequencer, sequence_once
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.db.together import Statement

RATE = int(os.environ.get("BENCH_ARRIVING", "500"))
SECONDS = 10
WRITERS = 8
GOAL_MS = 1_000
_ONE = text(f"""
    WITH made AS (
        INSERT INTO event (id, at, name, parties, dataset_id, body, commitment)
        VALUES (gen_random_uuid(), clock_timestamp(), 'query:settle', ARRAY[gen_random_uuid()],
            CAST(lpad(to_hex(CAST(:n AS bigint) % 50), 32, '0') AS uuid), '{{}}', sha256(int8send(:n)))
        RETURNING id, commitment
    )
    INSERT INTO pending_leaf SELECT id, {TAG} FROM made
""")
# An event's `at` is before its commit, a head's after its showing: the delay is never told smaller than it was.
_DELAYS = text("""
    SELECT count(*) AS n, percentile_disc(array[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY took) AS took_ms
    FROM (
        SELECT CAST(extract(epoch FROM shown.at - event.at) * 1000 AS float8) AS took
        FROM audit_leaf AS leaf JOIN event ON event.id = leaf.event_id
        CROSS JOIN LATERAL (
            SELECT at FROM published WHERE published.size > leaf.index ORDER BY published.size LIMIT 1
        ) AS shown
        WHERE leaf.index >= :first
    ) AS delay
""")
_NEXT_LEAF = text("SELECT coalesce(max(index), -1) + 1 AS first FROM audit_leaf")


async def delays(database: Database, keys: Keys, config: Config) -> list[dict[str, Any]]:
    """At RATE events a second for SECONDS, with the service's own sequencer beside them."""
    first = (await database.all(_NEXT_LEAF, {}))[0].first
    stop = asyncio.Event()
    running = asyncio.create_task(run_sequencer(database, keys, config, stop))
    began = time.perf_counter()
    numbers = itertools.count(int(time.time_ns()))
    tagging = pads(keys.event_tag())
    await asyncio.gather(*(_arrive(database, tagging, numbers, writer, began) for writer in range(WRITERS)))
    took = time.perf_counter() - began
    stop.set()
    await running
    await sequence_once(database, keys, config)  # those of its last pause
    ((count, (p50, p95, p99, most)),) = await database.all(_DELAYS, {"first": first})
    name = f"sequencer: commit to checkpoint at {count / took:,.0f} events/s"
    return [
        figure(f"{name}, p50", p50, "ms", n=count),
        figure("… p95", p95, "ms", n=count),
        figure("… p99", p99, "ms", n=count, goal=GOAL_MS),
        figure("… longest", most, "ms", n=count, goal=GOAL_MS),
    ]


async def _arrive(
    database: Database, tagging: dict[str, bytes], numbers: itertools.count[int], writer: int, began: float
) -> None:
    """Every WRITERS-th event, each at its time; one that is late is written at once."""
    for number in range(writer, RATE * SECONDS, WRITERS):
        wait_s = began + number / RATE - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        async with database.unit() as unit:
            await unit.send([Statement(_ONE, {"n": next(numbers), **tagging})])
