"""What withdrawals cost queries: a scan after a thousand cohorts went, and what the first query waits for."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np

from bench.figure import figure
from catalog.jailed.parts import parquet_bytes
from catalog.revisions import ROW_GROUP_ROWS, part_hash
from catalog.storage import Store, version_hash
from catalog.version import LeftOut, Measured, Part, Revision, Version
from sandbox.isolation.pool import Pool
from sandbox.job import Column, Limits, TableFiles, TableSchema
from sandbox.plan.plan import plan_query
from sandbox.run import run

PARTS = int(os.environ.get("BENCH_PARTS", "4"))
PART_ROWS = 1_000_000
K = 10
GONE = 1_000
ROUNDS = 15
SQL = (
    "select province, sex, count(*) as n, avg(case when grade = 'B2' then 1 else 0 end) as b2 from t group by all"
)
DIMENSIONS = ("province", "sex", "age_band", "grade")


async def figures() -> list[dict[str, Any]]:
    """Rows mode, cohorts spread over all parts: the worst case, every part is rewritten."""
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        store = Store(Path(folder))
        version = await asyncio.to_thread(_version, store)
        gone = frozenset(range(0, version.cohorts, version.cohorts // GONE)[:GONE])
        whole, _ = await _revision(store, version, frozenset())
        _, one_s = await _revision(store, version, frozenset({7}))
        without, first_s = await _revision(store, version, gone)
        _, again_s = await _revision(store, version, gone)
        pool = Pool(jails=1, threads=2, memory_bytes=2 << 30, queue=4)
        await pool.start()
        try:
            before, after = await _scans(pool, whole, without)
        finally:
            await pool.close()
    rows = f"{PARTS * PART_ROWS:,} records"
    return [
        figure(f"withdrawals: scan of {rows} after {GONE:,} cohorts went, CPU", after, "ms", n=ROUNDS,
               baseline=before, goal=1.1),
        figure("withdrawals: the first query after one waits for one part", 1000 * one_s, "ms", n=1),
        figure(f"withdrawals: the first query after {GONE:,} in {PARTS} parts waits", 1000 * first_s, "ms", n=1),
        figure("withdrawals: the next query waits", 1000 * again_s, "ms", n=1, goal=20.0),
    ]  # fmt: skip


async def _revision(store: Store, version: Version, gone: frozenset[int]) -> tuple[Revision, float]:
    began = time.perf_counter()
    made = await asyncio.to_thread(store.revision, version.id, purpose=None, excluded=gone, number=len(gone))
    return made, time.perf_counter() - began


def _version(store: Store) -> Version:
    """Synthetic licences laid out as publication does: sorted by class, ten persons a cohort."""
    folder = store.root / "incoming" / "version"
    folder.mkdir()
    for index in range(PARTS):
        made = duckdb.sql(
            f"""select 'T' || (hash(i) % 34)::varchar as province,
                ['F', 'M'][(1 + hash(i + 1) % 2)::bigint] as sex, (hash(i + 2) % 12)::varchar as age_band,
                ['A1', 'A', 'B1', 'B2', 'C'][(1 + hash(i + 3) % 5)::bigint] as grade
            from range({index * PART_ROWS}, {(index + 1) * PART_ROWS}) t(i)
            order by province, sex, age_band, hash(i + 5)"""
        )
        assert made is not None
        (folder / _name(index)).write_bytes(parquet_bytes(made.to_arrow_table(), ROW_GROUP_ROWS))
    version = Version(
        dataset="t", mode="rows", privacy_unit="column", population="p", rows=PARTS * PART_ROWS,
        persons=PARTS * PART_ROWS, cohorts=PARTS * PART_ROWS // K, k=K, fine_share=1.0,
        measured=Measured(k=K, l=2, entropy_l=2.0, t=0.1), left_out=LeftOut(persons=0, classes=0, share=0.0),
        columns=(), purposes=("research.academic",), legal_basis="law", manifest_sha256="", created_at_ms=0,
        parts=tuple(_part(folder / _name(index)) for index in range(PARTS)),
    )  # fmt: skip
    version = msgspec.structs.replace(version, id=version_hash(version))
    (folder / "version.json").write_bytes(msgspec.json.encode(version))
    folder.rename(store.public(version.id))
    private = store.private(version.id)
    private.mkdir(parents=True)
    begins = np.tile(np.arange(0, PART_ROWS, K), PARTS)
    parts = np.repeat(np.arange(PARTS), PART_ROWS // K)
    np.save(private / "cohorts.npy", np.stack([parts, begins, begins + K], axis=1).astype(np.int64))
    return version


def _part(path: Path) -> Part:
    return Part(name=path.name, sha256=part_hash(path), rows=PART_ROWS)


def _name(index: int) -> str:
    return f"part-{index:05d}.parquet"


async def _scans(pool: Pool, whole: Revision, without: Revision) -> tuple[float, float]:
    """Median CPU ms of each, taken in turns: of files that differ by so little wall time tells the load only."""
    plan = plan_query(SQL, (TableSchema(name="t", mode="rows", columns=_columns()),))
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for times, revision in zip(took, (whole, without), strict=True):
            files = TableFiles(name="t", parts=tuple(Path(part) for part in revision.parts))
            times.append((await run(plan, (files,), Limits(), pool)).usage.cpu_us / 1000)
    return statistics.median(took[0]), statistics.median(took[1])


def _columns() -> tuple[Column, ...]:
    return tuple(Column(name=name, type="VARCHAR") for name in DIMENSIONS)
