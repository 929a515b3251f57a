"""Reading owners' files through the jail: rows a second beside Arrow and DuckDB reading the same file, memory."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from bench.figure import figure
from catalog.intake import read_source
from catalog.limits import IngestLimits
from catalog.manifest import read_manifest
from catalog.pii.detect import scan_order
from catalog.reading import STORED_TYPE
from catalog.wire import IngestColumn, IngestOrder, IngestReply, drain
from marketplace.consents.subjects import pseudonyms
from sandbox.isolation.oneshot import OneShot, run_once

ROWS = 1_000_000
_CALLED = {stored: called for called, stored in STORED_TYPE.items()}
TYPES = {
    "id": "VARCHAR", "born": "DATE", "sex": "VARCHAR", "province": "VARCHAR", "ward": "VARCHAR",
    "income": "DOUBLE", "visits": "BIGINT", "cost": "BIGINT", "latitude": "DOUBLE", "issued": "DATE",
    "seen": "TIMESTAMP", "agreed": "BOOLEAN", "grade": "VARCHAR", "code": "VARCHAR", "score": "DOUBLE",
}  # fmt: skip

_COLUMNS = "".join(
    f"  - {{name: {name}, type: {_CALLED[kind]}, role: quasi-identifier, meaning: {{vi: cột, en: column}}}}\n"
    for name, kind in TYPES.items()
    if name != "id"
)
_MANIFEST = f"""
slug: do_toc_do
title: {{vi: Đo tốc độ, en: For a benchmark}}
description: {{vi: Đo tốc độ, en: For a benchmark}}
owner: co-quan
licence: CC0-1.0
source: bench
themes: [do]
spatial: VN
temporal: 2025
update_frequency: yearly
population: do
privacy_unit: column
subject_key: id
mode: rows
k: 10
legal_basis: {{kind: law, law: personal-data-law-91-2025}}
purposes: [research.academic]
offer: {{base_vnd: 1000, per_gb_vnd: 500000}}
columns:
  - {{name: id, role: identifier, personal: basic}}
{_COLUMNS}"""


async def figures() -> list[dict[str, Any]]:
    """CSV and Parquet of 15 columns; memory of the jail at a quarter of the rows and at all of them."""
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        return await asyncio.to_thread(_figures, Path(folder))


def _figures(folder: Path) -> list[dict[str, Any]]:
    tiny = _files(folder, 1_000)["csv"]
    small, large = _files(folder, ROWS // 4), _files(folder, ROWS)
    return [
        figure("ingest: start of a jail and a thousand rows", _timed(lambda: _read(tiny))[0], "s", n=1),
        *_kept("csv", large["csv"], goal=200_000),
        *_kept("parquet", large["parquet"], goal=1_000_000),
        *_compared("csv", small["csv"], large["csv"], csv.read_csv, goal=200_000),
        *_compared("parquet", small["parquet"], large["parquet"], parquet.read_table, goal=1_000_000),
    ]


def _compared(
    kind: str, small: Path, large: Path, plain: Callable[[Path], pa.Table], *, goal: int
) -> list[dict[str, Any]]:
    seconds, done = _timed(lambda: _read(large))
    cpu_s = done.usage.cpu_us / 1_000_000
    plain_s, _ = _timed(lambda: plain(large))
    duckdb_s, _ = _timed(lambda: duckdb.execute(f"from '{large}'").to_arrow_table())
    memory = {file: _read(file).usage.peak_memory_bytes / 2**20 for file in (small, large)}
    return [
        figure(f"ingest: {kind}, 15 columns", ROWS / seconds, "rows/s", n=1, goal=goal, better="higher"),
        figure(f"ingest: {kind}, a second of CPU", ROWS / cpu_s, "rows/s", n=1, goal=goal, better="higher"),
        figure(f"ingest: {kind}, beside Arrow", seconds, "s", n=1, baseline=plain_s),
        figure(f"ingest: {kind}, beside DuckDB", seconds, "s", n=1, baseline=duckdb_s),
        # Arrow reads up to 32 blocks ahead: below 256 MiB of a file the memory still grows with it.
        figure(f"ingest: {kind}, memory of {ROWS // 4:,} rows", memory[small], "MiB", n=1),
        figure(f"ingest: {kind}, memory of {ROWS:,} rows", memory[large], "MiB", n=1, goal=640.0),
    ]


def _kept(kind: str, large: Path, *, goal: int) -> list[dict[str, Any]]:
    """The whole way: read and typed in the jail, scanned, keys hashed outside, kept in a file."""
    manifest = read_manifest(_MANIFEST)
    scan = scan_order(manifest)
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        before = time.process_time()
        seconds, taken = _timed(
            lambda: read_source(
                manifest, {}, large, Path(folder), pseudonymise=partial(pseudonyms, b"key of a benchmark"),
                limits=IngestLimits(), scan=scan,
            )
        )  # fmt: skip
        cpu_s = time.process_time() - before
    assert taken.rows == ROWS
    return [
        figure(
            f"ingest: {kind}, kept with hashed keys", ROWS / seconds, "rows/s", n=1, goal=goal, better="higher"
        ),
        figure(f"ingest: {kind}, the broker's second of CPU", ROWS / cpu_s, "rows/s", n=1, better="higher"),
    ]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _read(path: Path) -> OneShot[None]:
    """In the first jail, its output thrown away."""
    limits = IngestLimits()
    order = IngestOrder(
        columns=tuple(IngestColumn(name=n, type=t, line=0) for n, t in TYPES.items()), null_words=("", "?"),
        max_rows=limits.max_rows, max_bytes=limits.max_bytes, max_row_group_bytes=limits.max_row_group_bytes,
    )  # fmt: skip
    with path.open("rb") as file:
        done = run_once(
            "catalog.jailed.ingest:main", msgspec.msgpack.encode(order), [file.fileno()], consume=drain,
            deadline_ms=limits.deadline_ms, memory_bytes=limits.memory_bytes,
            max_output_bytes=limits.max_output_bytes, threads=limits.threads,
        )  # fmt: skip
    assert msgspec.msgpack.decode(done.reply, type=IngestReply).refusal is None
    return done


def _files(folder: Path, rows: int) -> dict[str, Path]:
    draw = np.random.default_rng(1)

    def text(values: Sequence[str], shares: Any = None) -> pa.Array:
        return pa.array(values).take(pa.array(draw.choice(len(values), rows, p=shares)))

    days = np.datetime64("1940-01-01") + draw.integers(0, 25_000, rows).astype("timedelta64[D]")
    table = pa.table({
        "id": pa.array([f"0{i:011d}" for i in draw.permutation(rows)]), "born": pa.array(days),
        "sex": text(["nam", "nữ"]), "province": text([f"Tỉnh {i}" for i in range(34)]),
        "ward": text([f"Phường {i}" for i in range(3_300)]), "income": np.round(draw.lognormal(16, 1, rows), 2),
        "visits": draw.poisson(3, rows), "cost": draw.integers(0, 10**8, rows),
        "latitude": np.round(8 + 15 * draw.random(rows), 6), "issued": pa.array(days[::-1]),
        "seen": pa.array(days.astype("datetime64[us]") + draw.integers(0, 10**10, rows)),
        "agreed": pa.array(draw.random(rows) < 0.7), "grade": text(["A1", "A2", "B1", "B2", "C"]),
        "code": text([f"X{i:05d}" for i in range(50_000)]), "score": np.round(draw.random(rows), 3),
    })  # fmt: skip
    files = {kind: folder / f"{rows}.{kind}" for kind in ("csv", "parquet")}
    csv.write_csv(table, files["csv"])
    parquet.write_table(table, files["parquet"], row_group_size=131_072)
    return files
