"""Measuring anonymity: pyCANON over the same small table, then how time and memory grow with size.

BENCH_RISK_ROWS (10,000,000) is the largest table; 100,000,000 needs 0.4 GB of disk and 8 GiB of memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from bench.figure import figure
from catalog.risk.figures import RiskOrder, RiskReply
from policies.binaries import find
from sandbox.isolation.oneshot import run_once
from sandbox.job import Usage

ROWS = int(os.environ.get("BENCH_RISK_ROWS", "10000000"))
SMALL, FIRST = 20_000, 1_000_000
GIB = 1024**3
QUASI = ("province", "age", "sex", "class", "year")
SCRIPT = Path(__file__).parents[1] / "tests" / "catalog" / "risk" / "canon.py"
# Skewed, and the same each time: the draws are hashes of the row's number.
_MAKE = """
COPY (
    SELECT 'Tỉnh ' || floor(34 * pow(a, 1.7))::INT AS province, 18 + floor({ages} * b * c)::INT AS age,
           CASE WHEN d < 0.56 THEN 'nam' ELSE 'nữ' END AS sex,
           ['A1', 'A', 'B', 'C1', 'C', 'D2', 'D'][1 + floor({classes} * e * e)::INT] AS class,
           2026 - floor({years} * f * f)::INT AS year,
           ['không', 'tốc độ', 'đèn đỏ', 'nồng độ cồn'][1 + floor(4 * g * g)::INT] AS offence
    FROM (SELECT {draws} FROM range({rows}) r(i))
) TO '{file}' (FORMAT {form})
"""


async def figures() -> list[dict[str, Any]]:
    """Beside pyCANON; seconds and memory of the largest table; growth from a million rows on."""
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        return await asyncio.to_thread(_figures, Path(folder))


def _figures(folder: Path) -> list[dict[str, Any]]:
    first_s, _ = measured(made(folder / "first.parquet", FIRST))
    large_s, usage = measured(made(folder / "large.parquet", ROWS))
    times, memory = ROWS / FIRST, usage.peak_memory_bytes / GIB
    name = f"risk: {ROWS:,} rows × {len(QUASI)} quasi-identifiers, every measure"
    # Up to that size the goal for a hundred million is a rate.
    goal_s = 60 * ROWS / 100_000_000 if ROWS >= FIRST * 10 else None
    return [
        *_beside(folder),
        figure(name, large_s, "s", n=1, goal=goal_s),
        figure(f"{name}, memory", memory, "GiB", n=1, goal=8),
        figure(f"risk: {times:g} × the rows, growth of time", large_s / first_s, "×", n=1, goal=1.5 * times),
    ]


def _beside(folder: Path) -> list[dict[str, Any]]:
    found = find("pycanon")
    if found is None:
        return []
    parquet, csv = made(folder / "small.parquet", SMALL, few=True), made(folder / "small.csv", SMALL, few=True)
    python = found.path / "bin" / "python"
    said = subprocess.run(
        [python, SCRIPT, csv, ",".join(QUASI), "offence"], capture_output=True, text=True, check=True
    )
    theirs = sum(json.loads(said.stdout)[0]["seconds"].values())
    seconds, _ = measured(parquet)
    return [figure(f"risk: {SMALL:,} rows, beside pyCANON", seconds, "s", n=1, baseline=theirs, goal=0.1)]


def made(file: Path, rows: int, *, few: bool = False) -> Path:
    """A table of licences; with `few` classes, for pyCANON looks at each class alone."""
    draws = ", ".join(f"(hash(i, {n}) % 1000003) / 1000003 AS {letter}" for n, letter in enumerate("abcdefg"))
    ages, classes, years = (3, 2, 2) if few else (67, 7, 59)
    duckdb.execute(
        _MAKE.format(
            draws=draws, rows=rows, file=file, form=file.suffix[1:], ages=ages, classes=classes, years=years
        )
    )
    return file


def measured(file: Path) -> tuple[float, Usage]:
    """Seconds, from opening the jail to its answer, and what it used."""
    order = RiskOrder(quasi_identifiers=QUASI, sensitive=("offence",), files=1)
    began = time.perf_counter()
    with file.open("rb") as opened:
        done = run_once(
            "catalog.jailed.risk:main",
            msgspec.msgpack.encode(order),
            [opened.fileno()],
            consume=lambda stream: stream.read(1),
            deadline_ms=600_000,
            memory_bytes=8 * GIB,
            max_output_bytes=1024,
        )
    seconds = time.perf_counter() - began
    if msgspec.msgpack.decode(done.reply, type=RiskReply).risk is None:
        raise RuntimeError("not measured")
    return seconds, done.usage
