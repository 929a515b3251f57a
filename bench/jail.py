"""Figures of the jail: what a query in it costs, from the SQL that goes in to the answer that was checked."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from bench.figure import figure, quantile
from sandbox.isolation.pool import Pool, source_path
from sandbox.job import Limits, OutputColumn

_ROUNDS = 150
_SECONDS = 3.0
_ONE = (OutputColumn(name="a", type="INTEGER"),)
_GROUPS = (OutputColumn(name="g", type="BIGINT"), OutputColumn(name="s", type="BIGINT"))
_GROUP_BY = "SELECT g, sum(v)::BIGINT AS s FROM read_parquet('{}') GROUP BY g"


async def figures() -> list[dict[str, Any]]:
    """Start of a pool, round trips, throughput; takes half a minute. `bench.scan` measures large files."""
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "part.parquet")
        table = "SELECT (hash(i) % 3400)::BIGINT AS g, i AS v FROM range(32000) t(i)"
        duckdb.sql(f"COPY ({table}) TO '{part}' (FORMAT parquet)")
        began = time.perf_counter()
        pool = Pool(jails=2, threads=2, memory_bytes=1024**3, queue=16)
        await pool.start()
        await pool.fill()
        start_ms = (time.perf_counter() - began) * 1_000
        try:
            return [
                figure("jail: start of a pool of two", start_ms, "ms", goal=2_000, n=1),
                *await _round_trips(pool, part),
                *await _throughput(pool, part),
            ]
        finally:
            await pool.close()


async def _times(ask: Callable[[], Awaitable[object]], rounds: int, pause_s: float = 0.02) -> list[float]:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1_000)
        # Latency, not throughput: the next child may get ready.
        await asyncio.sleep(pause_s)
    return times


async def _round_trips(pool: Pool, part: Path) -> list[dict[str, Any]]:
    found = []
    for name, sql, columns, files, goal in _cases(part):
        times = await _times(partial(pool.execute, sql, files, columns, Limits(threads=1)), _ROUNDS)
        found.append(figure(f"jail: {name}, p50", quantile(times, 0.5), "ms", goal=goal, n=_ROUNDS))
        found.append(figure(f"jail: {name}, p99", quantile(times, 0.99), "ms", goal=3 * goal, n=_ROUNDS))
    return found


def _cases(part: Path) -> list[tuple[str, str, tuple[OutputColumn, ...], list[Path], float]]:
    return [
        ("SELECT 1", "SELECT 1 AS a", _ONE, [], 4.0),
        ("group-by of 32k rows", _GROUP_BY.format(source_path(0)), _GROUPS, [part], 8.0),
    ]


async def _throughput(pool: Pool, part: Path) -> list[dict[str, Any]]:
    found = []
    for name, sql, columns, files, _ in _cases(part):
        ask = partial(pool.execute, sql, files, columns, Limits(threads=1))
        done = sum(await asyncio.gather(*(_ask_for(ask, _SECONDS) for _ in range(4))))
        rate = done / _SECONDS
        found.append(figure(f"jail: {name}, two jails", rate, "queries/s", goal=100, n=done, better="higher"))
    return found


async def _ask_for(ask: Callable[[], Awaitable[object]], seconds: float) -> int:
    done, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        await ask()
        done += 1
    return done


if __name__ == "__main__":
    print(json.dumps(asyncio.run(figures()), indent=2))
