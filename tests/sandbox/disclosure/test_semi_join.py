"""dp mode: an own table chooses records by a declared column, and does nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render
from tests.examples import tried
from tests.sandbox.disclosure.survey import OWN, SCHEMA, SURVEY

CHOSEN = "province IN (SELECT code FROM places)"
REFUSED = (
    "village IN (SELECT code FROM places)",
    "age IN (SELECT size FROM places)",
    "lower(province) IN (SELECT code FROM places)",
    "province IN (SELECT lower(code) FROM places)",
    "province IN (SELECT code FROM places WHERE size > 3)",
    "province IN (SELECT code FROM places WHERE code = village)",
    "province IN (SELECT code FROM places UNION SELECT 'x')",
    "province IN (SELECT province FROM survey)",
    "province IN (SELECT village FROM survey)",
    "province IN (SELECT p.code FROM places p, survey s)",
    "province IN (SELECT village FROM places)",
    "province IN (SELECT code FROM places LIMIT 1)",
    "province IN (SELECT max(code) FROM places)",
    "province NOT IN (SELECT code FROM places)",
    f"insured OR {CHOSEN}",
    f"NOT ({CHOSEN})",
    "EXISTS (SELECT code FROM places)",
    "age > (SELECT max(size) FROM places)",
)
OTHERS = (
    "SELECT count(*) FROM survey s JOIN places p ON s.province = p.code",
    "SELECT count(*) FROM survey s SEMI JOIN places p ON s.province = p.code",
    "SELECT count(*) FROM places WHERE code IN (SELECT province FROM survey)",
    "SELECT count(*) FROM places",
    "SELECT code FROM places WHERE EXISTS (SELECT 1 FROM survey)",
    f"SELECT count(*) FILTER (WHERE {CHOSEN}) FROM survey",
    f"SELECT {CHOSEN} AS k, count(*) FROM survey GROUP BY k",
)


@pytest.mark.parametrize("where", REFUSED)
def test_any_other_query_in_a_condition_is_refused(where: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        plan_query(f"SELECT count(*) FROM survey WHERE {where}", [SURVEY, OWN])
    assert refused.value.code == "sql.private_query"


@pytest.mark.parametrize("sql", OTHERS)
def test_nothing_else_of_an_own_table_stands_beside_persons(sql: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        plan_query(sql, [SURVEY, OWN])
    assert refused.value.code in {"sql.private_shape", "sql.private_query"}


def test_a_refusal_says_how_the_tables_that_are_there_may_meet() -> None:
    with pytest.raises(SqlRefused) as refused:
        plan_query("SELECT count(*) FROM survey WHERE village IN (SELECT code FROM places)", [SURVEY, OWN])
    assert refused.value.params["use"] == f"WHERE {CHOSEN}"
    assert (refused.value.word, refused.value.line) == ("village", 1)


def test_what_is_read_of_both_is_told() -> None:
    plan = plan_query(f"SELECT sum(age) FROM survey WHERE {CHOSEN}", [SURVEY, OWN])
    assert dict(plan.reads) == {"survey": ("province", "age"), "places": ("code",)}


CODES = st.lists(st.sampled_from(["Huế", "Hà Nội", "Đà Nẵng", "", None]), max_size=6)
PERSONS = st.lists(st.tuples(st.sampled_from(["Huế", "Hà Nội", None]), st.integers(-9, 120)), max_size=8)


@settings(max_examples=tried(15), deadline=None)
@example(codes=["Huế", "Huế", None], persons=[("Huế", 4), ("Huế", 120), ("Hà Nội", 5), (None, 5)])
@given(codes=CODES, persons=PERSONS)
def test_each_person_counts_once_however_often_the_table_names_her_value(
    codes: list[str | None], persons: list[tuple[str | None, int]]
) -> None:
    sql = f"SELECT count(*), sum(age) FROM survey WHERE age > 3 AND {CHOSEN} AND age * age > 9"
    chosen = [age for province, age in persons if province in set(codes) - {None} and age > 3]
    assert _exact(sql, codes, persons) == (len(chosen), sum(min(age, 100) for age in chosen))


def _exact(sql: str, codes: list[str | None], persons: list[tuple[str | None, int]]) -> tuple[Any, ...]:
    plan = plan_query(sql, [SURVEY, OWN])
    assert plan.release is not None
    written = render(
        dataclasses.replace(plan, output=plan.release.measured), {"survey": ["survey"], "places": ["places"]}
    )
    with duckdb.connect() as connection:
        rows = [{"province": province, "age": age} for province, age in persons]
        connection.register("survey_rows", pa.Table.from_pylist(rows, SCHEMA))
        connection.register("places_rows", pa.table({"code": pa.array(codes, pa.string())}))
        for name in ("survey", "places"):
            written = written.replace(f"read_parquet(['{name}'])", f"{name}_rows")
        (found,) = connection.sql(written).fetchall()
    measures = plan.release.measures
    return tuple(found[: len(measures)])
