"""Figures of the jail: what it costs to run a query in it, against the same engine without one."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import duckdb

from sandbox.isolation.pool import Pool, source_path
from sandbox.job import Limits, OutputColumn

_ROUNDS = 150
_SCAN_ROWS = 20_000_000
_SCAN_ROUNDS = 5
_ONE = (OutputColumn(name="a", type="INTEGER"),)
_GROUPS = (OutputColumn(name="g", type="BIGINT"), OutputColumn(name="s", type="BIGINT"))
_GROUP_BY = "SELECT g, sum(v)::BIGINT AS s FROM read_parquet('{}') GROUP BY g"


async def figures() -> list[dict[str, Any]]:
    """Measure round trips, throughput and a large scan; takes about a minute."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.parquet"), Path(folder, "large.parquet")
        for path, rows, groups in ((small, 32_000, 3_400), (large, _SCAN_ROWS, 100)):
            duckdb.sql(
                f"COPY (SELECT hash(i) % {groups} AS g, i AS v FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)"
            )
        began = time.perf_counter()
        pool = Pool(jails=2, threads=2, memory_bytes=1024**3, queue=16)
        await pool.start()
        start_ms = (time.perf_counter() - began) * 1_000
        try:
            return [
                _figure("jail: start of the pool", start_ms, "ms", goal=2_000, n=1),
                *await _round_trips(pool, small),
                *await _throughput(pool, small),
                await _scan(pool, large),
            ]
        finally:
            await pool.close()


def _figure(
    name: str,
    value: float,
    unit: str,
    *,
    goal: float,
    n: int,
    baseline: float | None = None,
    better: str = "lower",
) -> dict[str, Any]:
    ratio = round(value / baseline, 3) if baseline else None
    return {
        "name": name, "value": round(value, 3), "unit": unit, "baseline": baseline and round(baseline, 3),
        "ratio": ratio, "goal": goal, "better": better, "n": n,
    }  # fmt: skip


async def _times(ask: Callable[[], Awaitable[object]], rounds: int, pause_s: float = 0.02) -> list[float]:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1_000)
        # Latency, not throughput: the next child may get ready.
        await asyncio.sleep(pause_s)
    return sorted(times)


async def _round_trips(pool: Pool, part: Path) -> list[dict[str, Any]]:
    found = []
    plain = duckdb.connect(config={"threads": 1})
    for name, jailed, outside, columns, files, goal in (
        ("SELECT 1", "SELECT 1 AS a", "SELECT 1 AS a", _ONE, [], 4.0),
        ("group-by over 32k rows", _GROUP_BY.format(source_path(0)), _GROUP_BY.format(part), _GROUPS, [part], 8.0),
    ):
        times = await _times(lambda: pool.execute(jailed, files, columns, Limits()), _ROUNDS)  # noqa: B023
        bare = []
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            plain.execute(outside).to_arrow_table()
            bare.append((time.perf_counter() - began) * 1_000)
        baseline = statistics.median(bare)
        p99 = times[int(len(times) * 0.99)]
        found.append(_figure(f"jail: {name}, p50", statistics.median(times), "ms", goal=goal, n=_ROUNDS,
                             baseline=baseline))  # fmt: skip
        found.append(_figure(f"jail: {name}, p99", p99, "ms", goal=3 * goal, n=_ROUNDS))
    return found


async def _throughput(pool: Pool, part: Path) -> list[dict[str, Any]]:
    found = []
    for name, sql, columns, files, goal in (
        ("SELECT 1", "SELECT 1 AS a", _ONE, [], 130.0),
        ("group-by over 32k rows", _GROUP_BY.format(source_path(0)), _GROUPS, [part], 100.0),
    ):
        done, until = 0, time.perf_counter() + 3

        async def client() -> None:
            nonlocal done
            while time.perf_counter() < until:  # noqa: B023
                await pool.execute(sql, files, columns, Limits())  # noqa: B023
                done += 1

        await asyncio.gather(*(client() for _ in range(4)))
        found.append(
            _figure(f"jail: {name}, two jails", done / 3, "queries/s", goal=goal, n=done, better="higher")
        )
    return found


async def _scan(pool: Pool, part: Path) -> dict[str, Any]:
    plain = duckdb.connect(config={"threads": 2})
    inside, outside = [], []
    for _ in range(_SCAN_ROUNDS):
        began = time.perf_counter()
        plain.execute(_GROUP_BY.format(part)).to_arrow_table()
        outside.append((time.perf_counter() - began) * 1_000)
        began = time.perf_counter()
        await pool.execute(_GROUP_BY.format(source_path(0)), [part], _GROUPS, Limits())
        inside.append((time.perf_counter() - began) * 1_000)
    value, baseline = min(inside), min(outside)
    return _figure("jail: scan of 20M rows", value, "ms", goal=1.10 * baseline, n=_SCAN_ROUNDS, baseline=baseline)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(figures()), indent=2))
