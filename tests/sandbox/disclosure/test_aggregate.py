"""A question over cohorts answers what the same question over persons would; what cannot is refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sandbox.plan.render import render
from tests.sandbox.disclosure.persons import LICENCES, TABLES
from tests.sandbox.disclosure.spec import ACCEPTED, REFUSED
from tests.sandbox.plan.asking import World, same


@pytest.mark.parametrize("sql", ACCEPTED)
def test_cohorts_answer_what_persons_would(persons: World, sql: str) -> None:
    ours, plain = persons.ours(sql), persons.plain(sql)
    assert same(ours, plain), (ours[:5], plain[:5])


@pytest.mark.parametrize(("sql", "code", "word"), REFUSED)
def test_what_cohorts_cannot_answer_is_refused_with_advice(persons: World, sql: str, code: str, word: str) -> None:
    refused = persons.refusal(sql)
    assert (refused.code, refused.word) == (code, word)
    assert refused.params.get("use") or code in {"sql.unknown_column", "sql.not_grouped"}


def test_reads_names_measures_as_the_analyst_does(persons: World) -> None:
    plan = persons.plan("SELECT avg(diem) FROM licences WHERE tinh = 'Huế' GROUP BY hang HAVING sum(phat) > 1")
    assert plan.reads == {"licences": ("tinh", "hang", "diem", "phat")}
    assert persons.plan("SELECT count(*) FROM licences").reads == {"licences": ()}


def test_the_level_is_nobodys_column_and_costs_nothing(persons: World) -> None:
    plan = persons.plan("SELECT cohort_level, count(*) FROM licences WHERE cohort_level <> 'x' GROUP BY 1")
    assert plan.reads == {"licences": ()}


def test_a_count_of_nothing_is_zero_and_a_sum_of_nothing_is_null(persons: World) -> None:
    sql = (
        "SELECT count(*), count(diem), count(tinh), sum(diem), avg(diem), stddev(diem) FROM licences WHERE nam = 0"
    )
    assert persons.ours(sql) == [(0, 0, 0, None, None, None)]


def test_types_are_those_the_analyst_expects(persons: World) -> None:
    plan = persons.plan("SELECT count(*) a, count(diem) b, sum(diem) c, avg(phat) d, stddev(diem) e FROM licences")
    assert [c.type for c in plan.output] == ["BIGINT", "BIGINT", "DOUBLE", "DOUBLE", "DOUBLE"]
    assert persons.engine_types("SELECT count(*), avg(diem) FROM licences") == ["BIGINT", "DOUBLE"]


def test_the_rendered_query_never_names_a_measure_itself(persons: World) -> None:
    for sql in ACCEPTED:
        written = render(persons.plan(sql), persons.sources)
        assert '."diem"' not in written
        assert '."phat"' not in written


@pytest.mark.parametrize("value", [1e9, 123456789.123, 0.1])
def test_spread_of_equal_values_is_never_below_zero(tmp_path: Path, value: float) -> None:
    path = str(tmp_path / "cohorts.parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT 'x' AS tinh, 'A' AS hang, 1::BIGINT AS nam, NULL::DATE AS cap, TRUE AS moi,
            7::BIGINT AS n, 7::BIGINT AS diem__count, 7 * {value}::DOUBLE AS diem__sum,
            7 * {value}::DOUBLE * {value}::DOUBLE AS diem__sumsq, 0::BIGINT AS phat__count,
            NULL::DOUBLE AS phat__sum, NULL::DOUBLE AS phat__sumsq FROM range(50)) TO '{path}'"""
        )
        world = World(connection, TABLES, {LICENCES.name: [path]})
        (found,) = world.ours("SELECT var_pop(diem), stddev(diem), avg(phat), stddev(phat) FROM licences")
    assert found[0] >= 0
    assert found[0] <= 1e-5 * value * value
    assert found[2:] == (None, None)


def test_suppressed_measures_leave_their_cohorts_out_of_sums_but_not_out_of_counts(tmp_path: Path) -> None:
    path = str(tmp_path / "cohorts.parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT * FROM (VALUES
            ('a', 10::BIGINT, 10::BIGINT, 50e0, 300e0), ('a', 12, NULL, NULL, NULL))
            t(tinh, n, diem__count, diem__sum, diem__sumsq)) TO '{path}'"""
        )
        world = World(connection, TABLES, {LICENCES.name: [path]})
        sql = "SELECT count(*), count(diem), sum(diem), avg(diem) FROM licences GROUP BY tinh"
        assert world.ours(sql) == [(22, 10, 50.0, 5.0)]


def test_a_pair_speaks_only_of_cohorts_that_hold_its_product(tmp_path: Path) -> None:
    path = str(tmp_path / "cohorts.parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT * FROM (VALUES
            ('a', 10::BIGINT, 10::BIGINT, 50e0, 300e0, 10::BIGINT, 20e0, 50e0, 110e0),
            ('a', 12, 12, 60, 400, 11, 30, 90, NULL), ('a', 12, NULL, NULL, NULL, 12, 30, 90, NULL))
            t(tinh, n, diem__count, diem__sum, diem__sumsq, gio__count, gio__sum, gio__sumsq, diem__gio__sumxy))
            TO '{path}'"""
        )
        world = World(connection, TABLES, {LICENCES.name: [path]})
        sql = (
            "SELECT regr_count(gio, diem), regr_avgx(gio, diem), regr_avgy(gio, diem), sum(diem * gio), "
            "sum(diem + gio), count(diem - gio), sum(diem), sum(gio), sum(gio * gio) FROM licences"
        )
        assert world.ours(sql) == [(10, 5.0, 2.0, 110.0, 70.0, 10, 110.0, 80.0, 230.0)]
