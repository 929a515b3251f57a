"""Quality: a suite judged in the jail, by our counts and by Great Expectations, beside hand-written SQL."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from bench.figure import figure
from catalog.limits import IngestLimits
from catalog.quality.check import check
from catalog.quality.expectations import expectations_binds
from catalog.quality.report import QualityReport
from catalog.quality.suite import Expectation, Suite
from catalog.quality.wire import CheckedColumn

ROWS = int(os.environ.get("SANDULIEU_BENCH_QUALITY_ROWS", "2000000"))
COLUMNS = (("id", "BIGINT"), ("age", "BIGINT"), ("income", "DOUBLE"), ("province", "VARCHAR"), ("day", "DATE"))
_MADE = f"""
copy (select i as id, (i * 7919) % 90 + if(i % 1000 = 0, 100, 0) as age, (i % 977) * 1.5 as income,
    case when i % 50 = 0 then null else 'Tỉnh ' || (i % 34) end as province,
    date '2020-01-01' + (i % 2000)::int as day
from range({ROWS}) t(i)) to '{{path}}' (format parquet, row_group_size 131072)
"""
_HAND = """
select count(*), count(*) filter (where province is null), count(*) filter (where not (age between 0 and 120)),
    count(*) filter (where not (income >= 0)),
    count(*) filter (where not regexp_matches(province, '^Tỉnh [0-9]+$')),
    count(*) filter (where not (length(province) between 1 and 20)), avg(age), max(day),
    count(*) filter (where not (day >= date '2000-01-01')), count(distinct province),
    (select coalesce(sum(n), 0) from (select count(*) n from '{path}' group by id having count(*) > 1))
from '{path}'
"""


def _suite() -> Suite:
    told: list[tuple[str, dict[str, Any]]] = [
        ("table_row_count_to_be_between", {"min_value": 1}),
        ("column_values_to_not_be_null", {"column": "province", "mostly": 0.98}),
        ("column_values_to_be_between", {"column": "age", "min_value": 0, "max_value": 120}),
        ("column_values_to_be_between", {"column": "income", "min_value": 0}),
        ("column_values_to_match_regex", {"column": "province", "regex": "^Tỉnh [0-9]+$"}),
        ("column_value_lengths_to_be_between", {"column": "province", "min_value": 1, "max_value": 20}),
        ("column_mean_to_be_between", {"column": "age", "min_value": 40, "max_value": 50}),
        ("column_max_to_be_between", {"column": "day", "max_value": "2030-01-01"}),
        ("column_values_to_be_between", {"column": "day", "min_value": "2000-01-01"}),
        ("column_unique_value_count_to_be_between", {"column": "province", "max_value": 34}),
        ("column_values_to_be_unique", {"column": "id"}),
    ]
    expected = [{"type": f"expect_{kind}", "kwargs": kwargs, "meta": {"axis": "clean"}} for kind, kwargs in told]
    return Suite(name="bench", expectations=tuple(msgspec.convert(expected, list[Expectation])))


async def figures() -> list[dict[str, Any]]:
    """Seconds for eleven expectations over SANDULIEU_BENCH_QUALITY_ROWS rows, starts of the jails included."""
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        return await asyncio.to_thread(_figures, Path(folder) / "quality.parquet")


def _figures(path: Path) -> list[dict[str, Any]]:
    duckdb.execute(_MADE.format(path=path))
    _check(path, great=False)  # what a process finds out once, such as the libraries that a jail needs
    hand_s, _ = _timed(lambda: duckdb.execute(_HAND.format(path=path)).fetchall())
    own_s, own = _timed(lambda: _check(path, great=False))
    found = [figure(f"quality: 11 expectations, {ROWS:,} rows, our counts", own_s, "s", n=1, baseline=hand_s)]
    if expectations_binds() is None:
        print("great-expectations is not there: python tools/fetch.py great-expectations")
        return found
    great_s, great = _timed(lambda: _check(path, great=True))
    same = [v.outcome for v in own.verdicts] == [v.outcome for v in great.verdicts]
    return [
        *found,
        figure(
            f"quality: the same, judged by Great Expectations, {ROWS:,} rows", great_s, "s", n=1, baseline=hand_s
        ),
        figure("quality: verdicts of both are equal", float(same), "share", n=11, goal=1.0, better="higher"),
    ]


def _check(path: Path, *, great: bool) -> QualityReport:
    columns = [CheckedColumn(name=name, type=kind) for name, kind in COLUMNS]
    limits = IngestLimits(deadline_ms=300_000)
    return check([path], columns, _suite(), limits=limits, expectations=expectations_binds() if great else None)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
