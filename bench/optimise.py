"""The search for the generalisation that loses least: a million persons, fifteen columns, beside DuckDB."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.random import PCG64, Generator
from pyarrow import parquet

from bench.figure import figure
from catalog.anonymise.ladders import Ladder, ladder_of
from catalog.anonymise.optimise import optimise
from catalog.limits import IngestLimits
from catalog.manifest import read_manifest
from catalog.reading import STORED_TYPE
from catalog.transforms import hierarchy_of
from catalog.wire import AnonymiseColumn

ROWS = 1_000_000
NODES = 12
COLUMNS = (
    ("tuoi", "integer", "age"), ("ngay_sinh", "date", "date"), ("xa", "text", "vn_ward"),
    ("tinh_cu", "text", "vn_province"), ("nghe", "text", "occupation"), ("thu_nhap", "integer", "income_vnd"),
    ("benh", "text", "icd10"), ("ngay_kham", "date", "date"), ("gioi_tinh", "text", ""), ("dan_toc", "text", ""),
    ("hon_nhan", "text", ""), ("hoc_van", "text", ""), ("bao_hiem", "text", ""), ("so_con", "integer", ""),
    ("loai_ho", "text", ""),
)  # fmt: skip
HEAD = """
slug: bench
title: {vi: Để đo, en: Bench}
description: {vi: Để đo, en: Bench}
owner: test
licence: CC0-1.0
source: made up
themes: [test]
spatial: VN
temporal: 2025
update_frequency: once
population: nobody
privacy_unit: row
mode: rows
k: 10
l: 2
legal_basis: {kind: public, law: test}
purposes: [research.academic]
offer: {base_vnd: 1000, per_gb_vnd: 1000}
columns:
  - {name: ket_qua, role: sensitive, personal: sensitive, meaning: {vi: Kết quả, en: Outcome}}
"""


async def figures() -> list[dict[str, Any]]:
    """Seconds from the file to the frontier; milliseconds a scheme, beside DuckDB grouping the rows for each."""
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        return await asyncio.to_thread(_figures, Path(folder))


def _figures(folder: Path) -> list[dict[str, Any]]:
    file = folder / "persons.parquet"
    table = _persons(ROWS)
    parquet.write_table(table, file)
    began = time.perf_counter()
    found = optimise(file, manifest(), limits=IngestLimits())
    took = time.perf_counter() - began
    return [
        figure(f"optimise: {ROWS:,} rows, {len(COLUMNS)} columns", took, "s", n=1, goal=60.0),
        figure("optimise: a scheme formed", found.search_ms / found.evaluated, "ms", n=found.evaluated,
               baseline=_from_the_rows(table), goal=1.0),
        figure("optimise: what the best scheme loses (NCP)", found.nodes[0].ncp, "share", n=1,
               baseline=found.least),
    ]  # fmt: skip


def manifest() -> str:
    """Every column by the hierarchy that we ship for it, if any."""
    lines = []
    for name, kind, hierarchy in COLUMNS:
        transform = f", transform: {{hierarchy: {hierarchy}, level: 1}}" if hierarchy else ""
        said = f"name: {name}, type: {kind}, role: quasi-identifier, meaning: {{vi: {name}, en: {name}}}"
        lines.append(f"  - {{{said}{transform}}}")
    return HEAD + "\n".join(lines) + "\n"


def _persons(rows: int) -> pa.Table:
    random = Generator(PCG64(7))

    def skewed(values: list[str]) -> pa.Array:
        weight = 1 / np.arange(1, len(values) + 1)
        codes = random.choice(len(values), rows, p=weight / weight.sum())
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(values))

    age = np.clip(random.normal(38, 19, rows), 0, 104).astype(np.int64)
    born = np.datetime64("2025-06-30") - (age * 365 + random.integers(0, 365, rows)).astype("timedelta64[D]")
    codes = [f"{letter}{n:02d}" for letter in "ABEFGIJKLMN" for n in range(0, 8)]
    known = [c for c in codes if hierarchy_of("icd10", {}).at(c, 1)]
    columns: dict[str, Any] = {
        "tuoi": age, "ngay_sinh": born,
        "xa": skewed([w for w in hierarchy_of("vn_ward", {}).exact if w.isdigit()]),
        "tinh_cu": skewed(list(hierarchy_of("vn_province", {}).exact)[:63]),
        "nghe": skewed([f"{a}{b}{c}1" for a in range(1, 10) for b in range(1, 5) for c in range(1, 4)]),
        "thu_nhap": (random.lognormal(2.1, 0.7, rows) * 10).astype(np.int64) * 100_000,
        "benh": skewed(known),
        "ngay_kham": np.datetime64("2023-01-01") + random.integers(0, 900, rows).astype("timedelta64[D]"),
    }  # fmt: skip
    sizes = {"gioi_tinh": 2, "dan_toc": 20, "hon_nhan": 4, "hoc_van": 8, "bao_hiem": 5, "loai_ho": 3}
    columns |= {name: skewed([f"{name} {i}" for i in range(size)]) for name, size in sizes.items()}
    columns["so_con"] = random.poisson(1.4, rows)
    columns["ket_qua"] = skewed([f"kết quả {i}" for i in range(9)])
    return pa.table(columns)


def _from_the_rows(table: pa.Table) -> float:
    """Milliseconds a scheme where DuckDB groups the rows each time; the levels are made before, for nothing."""
    ladders = _ladders(table)
    shown = {
        f"{name}_{level}": group[_coded(table, name).indices.to_numpy()]
        for name, ladder in ladders.items()
        for level, group in enumerate(ladder.groups)
    }
    persons = pa.table(shown).append_column("ket_qua", table.column("ket_qua").cast(pa.string()))
    random = Generator(PCG64(3))
    connection = duckdb.connect()
    connection.register("given", persons)
    connection.execute("create table persons as from given")
    began = time.perf_counter()
    for _ in range(NODES):
        keys = ", ".join(f"{n}_{random.integers(0, len(ladder))}" for n, ladder in ladders.items())
        connection.execute(
            "select sum(n) filter (where n < 10 or l < 2), sum(n * n) from (select count(*) n, "
            f"count(distinct ket_qua) l from persons group by {keys})"
        ).fetchall()
    return 1000 * (time.perf_counter() - began) / NODES


def _ladders(table: pa.Table) -> dict[str, Ladder]:
    found = {}
    for column in read_manifest(manifest()).columns:
        if column.role != "quasi-identifier":
            continue
        values = _coded(table, column.name).dictionary.to_pylist()
        asked = AnonymiseColumn(
            name=column.name, type=STORED_TYPE[column.type], role="quasi-identifier", fine=column.transform
        )
        found[column.name] = ladder_of(asked, values, np.ones(len(values), dtype=bool), {})
    return found


def _coded(table: pa.Table, name: str) -> pa.DictionaryArray:
    data = table.column(name)
    coded = data if pa.types.is_dictionary(data.type) else data.dictionary_encode()
    return coded.combine_chunks() if coded.num_chunks != 1 else coded.chunk(0)
