"""A scan-and-group: the jail beside plain DuckDB, in each mode, over more and more records.

BENCH_ROWS: how many, separated by commas; 100000000 takes some minutes to lay out and 4 GB of disk.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
from pyarrow import parquet

from bench.figure import figure
from sandbox.disclosure.noise import Budget
from sandbox.isolation.pool import Pool
from sandbox.job import Bounds, Column, Limits, Mode, TableFiles, TableSchema
from sandbox.plan.plan import plan_query
from sandbox.run import Spending, run

SIZES = tuple(int(size) for size in os.environ.get("BENCH_ROWS", "1000000,20000000").split(","))
ROUNDS = 7
K = 10
SQL_ROWS = (
    "select province, sex, count(*) as n, avg(case when grade = 'B2' then 1 else 0 end) as b2 "
    "from t group by province, sex"
)
SQL_PRODUCTS = (
    "select province, sex, corr(points, fines) as r, regr_slope(fines, points) as slope, "
    "sum(points * fines) / sum(fines) as weighted from t group by province, sex"
)
SQL_AGGREGATE = "select province, sex, count(*) as n, avg(points) as points from t group by province, sex"
SQL_RECKONED = (
    "select (points // 3) * 3 as band, count(*) as n, avg(fines) as fines from t "
    "where points * 2 + fines > 5 group by (points // 3) * 3"
)


async def figures() -> list[dict[str, Any]]:
    """Engine time in the jail ÷ plain DuckDB on the same file; what lies around it, in ms."""
    return [figure for size in SIZES for figure in await _at(size)]


async def _at(size: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        people, cohorts = _make(folder, size)
        pool = Pool(jails=1, threads=2, memory_bytes=2 << 30, queue=4)
        await pool.start()
        try:
            return [*await _rows(pool, size, people), *await _aggregate(pool, size, people, cohorts),
                    *await _private(pool, size, people, _as_persons(people))]  # fmt: skip
        finally:
            await pool.close()


def _make(folder: Path, size: int) -> tuple[Path, Path]:
    """Synthetic licences as a publication lays them out: persons sorted by class, their sensitive grade not;
    and one record a cohort of about K persons."""
    people, cohorts = folder / "people.parquet", folder / "cohorts.parquet"
    con = duckdb.connect(config={"temp_directory": str(folder / "spill"), "memory_limit": "6GB"})
    con.execute(
        f"""copy (
            select 'T' || (hash(i) % 34)::varchar as province, ['F', 'M'][(1 + hash(i + 1) % 2)::bigint] as sex,
                (hash(i + 2) % 12)::varchar as age_band,
                ['A1', 'A', 'B1', 'B2', 'C'][(1 + hash(i + 3) % 5)::bigint] as grade,
                (hash(i + 4) % 13)::bigint as points, (hash(i + 6) % 9)::bigint as fines
            from range({size}) t(i) order by province, sex, age_band, hash(i + 5))
            to '{people}' (format parquet, compression zstd, row_group_size 131072)"""
    )
    con.execute(
        f"""copy (select province, sex, age_band, grade, count(*) as n, count(points) as points__count,
            sum(points)::double as points__sum, sum(points * points)::double as points__sumsq,
            count(fines) as fines__count, sum(fines)::double as fines__sum,
            sum(fines * fines)::double as fines__sumsq, sum(points * fines)::double as points__fines__sumxy
            from (select *, row_number() over (partition by province, sex, age_band, grade) // {K} as cohort
                  from '{people}') group by all order by all)
            to '{cohorts}' (format parquet, compression zstd, row_group_size 131072)"""
    )
    con.close()
    return people, cohorts


def _as_persons(people: Path) -> Path:
    """As `catalog.persons` writes parts: no least and largest values."""
    target = people.with_name("persons.parquet")
    with parquet.ParquetFile(people) as file, parquet.ParquetWriter(
        target, file.schema_arrow, compression="zstd", write_statistics=False, store_schema=False
    ) as writer:  # fmt: skip
        for index in range(file.num_row_groups):
            writer.write_table(file.read_row_group(index))
    return target


def _plain(sql: str, file: Path) -> Iterator[float]:
    """ms, each time it is asked again."""
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute(f"create view t as select * from read_parquet('{file}')")
        while True:
            began = time.perf_counter()
            con.sql(sql).to_arrow_table()
            yield (time.perf_counter() - began) * 1000


def _schema(mode: Mode, *, declared: bool = False) -> TableSchema:
    """`declared`: every value of the keys, as an owner declares them in dp mode."""
    values = {"province": tuple(f"T{i}" for i in range(34)), "sex": ("F", "M")} if declared else {}
    dims = tuple(
        Column(name=n, type="VARCHAR", values=values.get(n)) for n in ("province", "sex", "age_band", "grade")
    )
    aggregate = mode == "aggregate"
    numbers = tuple(
        Column(name=n, type="BIGINT", kind="measure" if aggregate else "dimension",
               bounds=Bounds(lower=0, upper=12) if mode == "dp" else None) for n in ("points", "fines")
    )  # fmt: skip
    pairs = (("points", "fines"),) if aggregate else ()
    return TableSchema(name="t", mode=mode, columns=(*dims, *numbers), pairs=pairs)


async def _timed(
    pool: Pool, sql: str, table: TableSchema, file: Path, people: Path, spending: Spending | None = None
) -> tuple[list[float], list[float], list[float]]:
    """ms of the engine, of everything around it, and of plain DuckDB over `people`; in turn, a round each."""
    engine, around, plain = [], [], []
    beside = _plain(sql, people)
    for _ in range(ROUNDS):
        plain.append(next(beside))
        began = time.perf_counter()
        plan = plan_query(sql, (table,))
        result = await run(plan, (TableFiles(name="t", parts=(file,)),), Limits(), pool, spending=spending)
        whole = (time.perf_counter() - began) * 1000
        engine.append(result.usage.engine_us / 1000)
        around.append(whole - engine[-1])
    return engine, around, plain


async def _rows(pool: Pool, size: int, people: Path) -> list[dict[str, Any]]:
    engine, around, plain = await _timed(pool, SQL_ROWS, _schema("rows"), people, people)
    label = f"rows mode, scan-and-group of {size:,} records"
    return [
        figure(f"{label}: engine", statistics.median(engine), "ms", n=ROUNDS, goal=1.10,
               baseline=statistics.median(plain)),
        figure(f"{label}: around it", statistics.median(around), "ms", n=ROUNDS, goal=20),
    ]  # fmt: skip


async def _aggregate(pool: Pool, size: int, people: Path, cohorts: Path) -> list[dict[str, Any]]:
    found = []
    for sql, what in ((SQL_AGGREGATE, "the same question"), (SQL_PRODUCTS, "correlation, slope, weighted mean")):
        engine, _, plain = await _timed(pool, sql, _schema("aggregate"), cohorts, people)
        name = f"aggregate mode, {what} on {size:,} persons: engine"
        found.append(
            figure(name, statistics.median(engine), "ms", n=ROUNDS, goal=0.3, baseline=statistics.median(plain))
        )
    return found


async def _private(pool: Pool, size: int, people: Path, persons: Path) -> list[dict[str, Any]]:
    spending = Spending(budget=Budget(rho=0.1, delta=1e-9), persons_at_most=size)
    found = []
    for sql, declared, what in (
        (SQL_AGGREGATE, True, "the same question"),
        (SQL_AGGREGATE, False, "keys nobody declared"),
        (SQL_RECKONED, True, "arithmetic over each record"),
    ):
        table = _schema("dp", declared=declared)
        engine, _, plain = await _timed(pool, sql, table, persons, people, spending)
        name = f"dp mode, {what} on {size:,} persons: engine"
        found.append(
            figure(name, statistics.median(engine), "ms", n=ROUNDS, goal=1.3, baseline=statistics.median(plain))
        )
    return found
