"""dp mode: what is taken, what is refused, and that one record changes a measure by its sensitivity at most."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sandbox
from sandbox.disclosure.measures import Measure, band_edges, bands
from sandbox.job import Bounds
from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render
from tests.sandbox.disclosure.survey import ACCEPTED, REFUSED, SURVEY, exact, planned

TEXTS = json.loads((Path(sandbox.__path__[0]) / "texts.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("SET threads = 1")
        yield opened


@pytest.mark.parametrize(("sql", "code", "word"), REFUSED, ids=[r[0][:60] for r in REFUSED])
def test_what_could_tell_of_one_person_is_refused_with_what_to_ask_instead(sql: str, code: str, word: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        plan_query(sql, [SURVEY])
    assert (refused.value.code, refused.value.word) == (code, word)
    for text in TEXTS[code].values():
        assert "{" not in "".join(part.format(**refused.value.params) for part in text.values())


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT age FROM survey", "SELECT province, avg(age) FROM survey WHERE … GROUP BY …"),
        ("SELECT village FROM survey", "SELECT province, count(*) FROM survey WHERE … GROUP BY …"),
        ("SELECT sum(age) / count(*) FROM survey",
         "SELECT province, sum(age), count(*) FROM survey WHERE … GROUP BY …"),
        ("SELECT province, count(*) FROM survey GROUP BY 1 HAVING count(*) > 9",
         "SELECT province, count(*) FROM survey WHERE … GROUP BY … ORDER BY 2 DESC LIMIT 20"),
        ("SELECT max(age) FROM survey", "quantile_cont(age, 0.99)"),
        ("SELECT min(income) FROM survey", "quantile_cont(income, 0.01)"),
        ("SELECT mode(village) FROM survey",
         "SELECT village, count(*) FROM survey GROUP BY village ORDER BY 2 DESC"),
        ("SELECT count(DISTINCT village) FROM survey",
         "SELECT village, count(*) FROM survey GROUP BY village ORDER BY 2 DESC"),
        ("SELECT corr(income, age) FROM survey",
         "count(*), sum(income), avg(income), stddev(income), median(income)"),
        ("SELECT income, count(*) FROM survey GROUP BY 1", "CAST(floor(income / 10) AS BIGINT)"),
    ],
)  # fmt: skip
def test_a_refusal_says_the_nearest_question_in_its_own_words(sql: str, instead: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        plan_query(sql, [SURVEY])
    assert refused.value.params["use"] == instead
    whole = instead.replace(" WHERE … GROUP BY …", " GROUP BY ALL")
    plan_query(whole if whole.startswith("SELECT") else f"SELECT {whole}{_named(whole)} FROM survey{_by(whole)}",
               [SURVEY])  # fmt: skip


def _named(key: str) -> str:
    return " AS a, count(*)" if key.startswith("CAST") else ""


def _by(key: str) -> str:
    return " GROUP BY a" if key.startswith("CAST") else ""


def test_each_number_comes_with_its_interval_and_no_name_comes_twice() -> None:
    plan, _ = planned("SELECT province AS n__low, count(*) AS n, avg(age) AS a FROM survey GROUP BY 1")
    assert [(c.name, c.type) for c in plan.output] == [
        ("n__low", "VARCHAR"), ("n", "BIGINT"), ("n__low_", "BIGINT"), ("n__high", "BIGINT"),
        ("a", "DOUBLE"), ("a__low", "DOUBLE"), ("a__high", "DOUBLE"),
    ]  # fmt: skip


def test_the_same_measure_is_paid_for_once() -> None:
    _, release = planned("SELECT count(age), avg(age), stddev(age), variance(age), median(age) FROM survey")
    assert [m.kind for m in release.measures] == ["count", "centred", "squares", "bands"]


def test_a_cast_that_changes_no_value_is_of_the_column() -> None:
    _, release = planned("SELECT avg(age), avg(CAST(age AS DOUBLE)), avg(CAST(age AS HUGEINT)) FROM survey")
    assert [m.kind for m in release.measures] == ["count", "centred"]


def test_declared_groups_need_no_threshold_and_others_do() -> None:
    _, declared = planned("SELECT province, insured, sum(age) FROM survey GROUP BY ALL")
    _, found = planned("SELECT province, village, sum(age) FROM survey GROUP BY ALL")
    assert declared.presence is None
    assert found.presence is not None
    assert found.measures[found.presence].kind == "count"


@pytest.mark.parametrize(
    "bounds", [Bounds(lower=0, upper=1), Bounds(lower=-7, upper=90), Bounds(lower=3, upper=1000)]
)
def test_bands_cover_every_step_once(bounds: Bounds) -> None:
    low, high = bounds.steps
    edges = [band_edges(bounds, i) for i in range(bands(bounds))]
    assert [s for first, last in edges for s in range(first, last + 1)] == list(range(low, high + 1))


EXTREME = [None, 0, 1, -1, 7, 100, 2**63 - 1, -(2**63)]
RECORD = st.tuples(
    st.sampled_from(["Huế", "Hà Nội", None]),
    st.sampled_from(["7", "-9223372036854775808", "2025-13-45", "x", "", "a\x00b", "🙂", None]),
    st.sampled_from(EXTREME),
    st.sampled_from([None, 0.0, 12.3, 49.99, 1e300, -1e300, math.inf, -math.inf, math.nan]),
    st.sampled_from([True, False, None]),
    st.sampled_from([None, datetime.date(1, 1, 1), datetime.date(2025, 3, 1), datetime.date(9999, 12, 31)]),
)


def vectors(measures: tuple[Measure, ...], keys: int, table: pa.Table) -> list[dict[Any, int]]:
    """Each measure as one vector: group and place → number."""
    found: list[dict[Any, int]] = []
    place = keys
    columns = [column.to_pylist() for column in table.columns]
    names = [tuple(repr(column[row]) for column in columns[:keys]) for row in range(table.num_rows)]
    for measure in measures:
        one: dict[Any, int] = {}
        for index in range(place, place + measure.width):
            one |= {(name, index): value for name, value in zip(names, columns[index], strict=True)}
        found.append(one)
        place += measure.width
    return found


@pytest.mark.parametrize("sql", ACCEPTED)
@settings(max_examples=6, deadline=None)
@given(rows=st.lists(RECORD, max_size=6), one=RECORD)
def test_one_record_changes_each_measure_by_its_sensitivity_at_most_and_never_fails(
    connection: duckdb.DuckDBPyConnection, sql: str, rows: list[tuple[Any, ...]], one: tuple[Any, ...]
) -> None:
    _, release = planned(sql)
    keys = len(release.keys)
    without = vectors(release.measures, keys, exact(connection, sql, rows))
    with_one = vectors(release.measures, keys, exact(connection, sql, [*rows, one]))
    for measure, before, after in zip(release.measures, without, with_one, strict=True):
        changes = [after.get(at, 0) - before.get(at, 0) for at in before.keys() | after.keys()]
        assert math.sqrt(sum(change**2 for change in changes)) <= measure.sensitivity


@pytest.mark.parametrize(
    "written",
    ["count_if(insured)", "countif(insured)", "sum(CASE WHEN insured THEN 1 ELSE 0 END)", "sum(if(insured, 1, 0))",
     "sum(CASE WHEN insured THEN 1 END)"],
)  # fmt: skip
def test_records_for_which_something_holds_are_counted_however_that_is_written(written: str) -> None:
    _, counted = planned("SELECT count(*) FILTER (WHERE insured) AS n FROM survey")
    plan, release = planned(f"SELECT {written} AS n FROM survey")
    assert (release.measures, release.figures) == (counted.measures, counted.figures)
    assert {column.type for column in plan.output} == {"BIGINT"}


def test_the_jail_adds_up_what_duckdb_would(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [("Huế", "x", age, income, True, None) for age, income in ((3, 12.26), (250, 60.0), (None, math.nan))]
    table = exact(connection, "SELECT count(*), count(age), sum(age), avg(age), sum(income) FROM survey", rows)
    # Ages 3 and 100 (brought to the bound), from their middle 47; incomes 12.5, 50 and 50 in halves.
    assert [c[0].as_py() for c in table.columns] == [3, 2, 103, 103 - 2 * 47, 25 + 100 + 100]


def test_a_bad_cast_is_null_and_the_rest_of_the_condition_stands(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [("Huế", village, 1, 1.0, True, None) for village in ("5", "x", None)]
    where = "CAST(village AS BIGINT) = 5 OR village = 'x'"
    assert exact(connection, f"SELECT count(*) FROM survey WHERE {where}", rows).column(0)[0].as_py() == 2


def test_only_the_part_that_fails_is_null(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [("Huế", "x", age, 1.0, True, None) for age in (2**63 - 1, 5)]
    where = "coalesce(age + 1, 7) = 7 AND village = 'x'"
    assert exact(connection, f"SELECT count(*) FROM survey WHERE {where}", rows).column(0)[0].as_py() == 1


@pytest.mark.parametrize("village", ["Huế", "Hanoi"])
def test_no_pattern_fails_only_where_a_record_begins_with_it(
    connection: duckdb.DuckDBPyConnection, village: str
) -> None:
    """The engine does, at an escape that ends a pattern: an error told that there is such a person, exactly."""
    rows = [("Huế", f"{village} 7", 5, 1.0, True, None)]
    where = "village LIKE 'Huế!!%' ESCAPE '!' OR village NOT LIKE '%!%' ESCAPE '!'"
    told = exact(connection, f"SELECT count(*) FROM survey WHERE {where}", rows)
    assert told.column(0)[0].as_py() == 1  # neither name holds a percent sign


@pytest.mark.parametrize("age", [94, 99])
def test_no_key_is_of_more_digits_than_its_type(connection: duckdb.DuckDBPyConnection, age: int) -> None:
    """The engine rounds 99 to 100 in DECIMAL(2,0), and fails when that leaves: once more exactly a person told."""
    sql = "SELECT round(CAST(age AS DECIMAL(2,0)), -1) AS r, count(*) FROM survey GROUP BY r"
    told = exact(connection, sql, [("Huế", "x", age, 1.0, True, None)])
    assert told.column(0)[0].as_py() == (90 if age == 94 else None)


def test_nothing_stands_in_a_try(connection: duckdb.DuckDBPyConnection) -> None:
    """It goes again over 2,048 records where one fails: milliseconds that are told apart."""
    for sql in ACCEPTED:
        plan, release = planned(sql)
        assert "TRY(" not in render(dataclasses.replace(plan, output=release.measured), {"survey": ["x"]})
