"""dp mode: the engine plans the same over registers that differ in one person, whoever she is.

It plans by what it knows of the values: of parts with their least and largest value `age > 200` is false for all,
and what stands beside it is reckoned for nobody; with her it is reckoned for everybody, for seconds.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from pyarrow import parquet

from catalog.revisions import rewrite
from catalog.storage import Store
from sandbox.job import Bounds, Column, TableSchema
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render
from tests.catalog.conftest import pseudonymise
from tests.catalog.private import households, publish_households
from tests.catalog.small import Row

HER: Row = ["P99999", "Cao Bằng", "đ" * 150, "999999999", "1e300", "không", "9999-12-31", "có"]
NOTHING_KNOWN: Row = ["P99999", "", "", "", "", "", "", "có"]
ANYBODY: Row = ["P99999", "Huế", "X3", "40", "10", "có", "2025-03-03", "có"]
COSTLY = " OR ".join(f"sha256(substring(village, {i})) = 'x'" for i in range(1, 15))
SURVEY = TableSchema(name="survey", mode="dp", columns=(
    Column(name="province", type="VARCHAR", values=("Huế", "Hà Nội", "Cần Thơ", "Cao Bằng")),
    Column(name="village", type="VARCHAR"), Column(name="age", type="BIGINT", bounds=Bounds(lower=0, upper=100)),
    Column(name="income", type="DOUBLE", bounds=Bounds(lower=0, upper=50, step=0.5)),
    Column(name="insured", type="BOOLEAN"), Column(name="visited", type="DATE"),
))  # fmt: skip
QUESTIONS = [
    "SELECT count(*) AS n FROM survey",
    f"SELECT (age > 200 AND ({COSTLY})) AS k, count(*) AS n FROM survey GROUP BY 1",
    f"SELECT count(*) FILTER (WHERE visited > DATE '9000-01-01' AND ({COSTLY})) AS n FROM survey",
    f"SELECT count(*) AS n FROM survey WHERE (age > 200 OR age < 0) AND ({COSTLY})",
    f"SELECT (insured IS NULL AND ({COSTLY})) AS k, count(*) AS n FROM survey GROUP BY 1",
    "SELECT count(*) AS n FROM survey WHERE age > 200 OR income > 1e9 OR province = 'Cao Bằng'",
    "SELECT province, sum(age) AS s, avg(income) AS a, variance(age) AS v FROM survey GROUP BY 1",
    "SELECT (age // 10) * 10 AS k, median(age) AS m FROM survey GROUP BY 1",
    "SELECT count(*) AS n FROM survey WHERE age * 2 + age > 60",
    "SELECT upper(village) AS k, count(*) AS n FROM survey GROUP BY 1",
]


def parts(folder: Path, more: Sequence[Row]) -> list[str]:
    """Of a published version, and of one of them after a withdrawal."""
    store = Store(folder / "store")
    made = publish_households(store, folder, [*households(2_500), *more])
    number = store.cohort_of(made.version.id, pseudonymise(["P00007"])[0])
    assert number is not None
    found: list[str] = []
    for gone in (frozenset[int](), frozenset({number})):
        revision = store.revision(made.version.id, purpose="research.academic", excluded=gone, number=len(gone))
        found += map(str, revision.parts)
    return found


def planned(files: Sequence[str]) -> list[str]:
    """How the engine would go about each question; without names of files, and numbers of rows that it guesses."""
    found = []
    with duckdb.connect() as connection:
        for file in files:
            for sql in QUESTIONS:
                plan = plan_query(sql, [SURVEY])
                assert plan.release is not None
                written = render(dataclasses.replace(plan, output=plan.release.measured), {"survey": [file]})
                ((_, tree),) = connection.execute(f"EXPLAIN {written}").fetchall()
                found.append(re.sub(r"~[\d,]+ rows?|[─╭╮╰╯┴┬│\s]+", " ", tree))
    return found


@pytest.fixture(scope="module")
def without_her(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return parts(tmp_path_factory.mktemp("without"), [])


@pytest.mark.parametrize("her", [HER, NOTHING_KNOWN, ANYBODY], ids=["unlike all", "nothing known", "like others"])
def test_one_person_changes_no_plan(without_her: list[str], tmp_path: Path, her: Row) -> None:
    assert planned(parts(tmp_path, [her])) == planned(without_her)


def test_with_the_least_and_largest_value_she_would(without_her: list[str], tmp_path: Path) -> None:
    """The same look finds it in parts that have them: it is not blind."""
    (whole, _), plans = parts(tmp_path, [HER]), []
    for place, part in enumerate((without_her[0], whole)):
        told = tmp_path / f"told{place}.parquet"
        parquet.write_table(parquet.read_table(part), told, store_schema=False)
        left = tmp_path / f"left{place}.parquet"
        rewrite(told, left, np.empty((0, 2), dtype=np.int64))
        assert parquet.read_metadata(left).row_group(0).column(0).is_stats_set
        plans.append(planned([str(told)]))
    assert sum(one != other for one, other in zip(*plans, strict=True)) > 3
