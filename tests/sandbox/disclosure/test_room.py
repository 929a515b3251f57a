"""dp mode: no number of groups, and no length of a text, ends a query whose jail is honest."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.disclosure.dp import NUMBERS
from sandbox.disclosure.noise import Budget, threshold_of
from sandbox.disclosure.release import released, threshold
from sandbox.disclosure.room import fewest, room, within_room
from sandbox.isolation.answer import copy_answer
from sandbox.isolation.pool import Pool
from sandbox.job import Bounds, Column, Limits, SandboxFailed, TableFiles, TableSchema
from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render
from sandbox.run import Spending, run
from tests.attack.conftest import require_layers
from tests.sandbox.disclosure.survey import SCHEMA, planned, stream_of

VILLAGES = "SELECT village, count(*) AS n FROM survey GROUP BY village"
MANY_MEDIANS = ", ".join(f"median(age) FILTER (WHERE income > {i})" for i in range(20))
GENEROUS = Budget(rho=1.0, delta=1e-6)


@given(
    st.integers(1, 10**9), st.sampled_from([VILLAGES, f"SELECT village, {MANY_MEDIANS} FROM survey GROUP BY 1"])
)
def test_groups_that_leave_are_never_more_than_there_is_noise_for(persons: int, sql: str) -> None:
    _, release = planned(sql)
    least = fewest(release, persons)
    assert persons // least * release.width <= NUMBERS
    assert room(release, persons, Limits()).max_rows >= persons // least
    assert least == 1 or persons * release.width > 100_000


def test_each_person_in_a_group_of_the_longest_name_meets_no_limit() -> None:
    persons = 20_000
    _, release = planned(VILLAGES)
    assert fewest(release, persons) == 1
    keys = pa.array([f"{i:05d}" + "🙂" * 95 for i in range(persons)])
    table = pa.table({"k0": keys, "m0": pa.array([1] * persons, pa.int64())})
    size = copy_answer(stream_of(table), release.measured, room(release, persons, Limits()), io.BytesIO())
    assert size.rows == persons


def test_a_group_too_small_for_the_room_stays_in_the_jail_and_the_threshold_counts_from_there() -> None:
    plan, release = planned(VILLAGES)
    persons = 1_000_000
    least = fewest(release, persons)
    assert least > 1
    tree = within_room(plan.tree, release, persons)
    written = render(dataclasses.replace(plan, tree=tree, output=release.measured), {"survey": ["x"]})
    with duckdb.connect() as connection:
        rows = [
            {"village": name} for name, records in (("few", least - 1), ("many", least)) for _ in range(records)
        ]
        connection.register("survey_rows", pa.Table.from_pylist(rows, SCHEMA))
        found = connection.sql(written.replace("read_parquet(['x'])", "survey_rows")).fetchall()
    assert found == [("many", least)]
    assert threshold(release, GENEROUS, persons) == threshold_of(1.0, 1e-6) + least - 1


def test_a_jail_that_lets_out_what_should_stay_is_refused() -> None:
    plan, release = planned(VILLAGES)
    table = pa.table({"k0": ["few"], "m0": pa.array([1], pa.int64())})
    with pytest.raises(SandboxFailed):
        released(release, plan.output, stream_of(table), GENEROUS, 1_000_000)


def test_more_numbers_than_there_is_noise_for_are_refused_where_keys_are_declared() -> None:
    values = tuple(f"v{i}" for i in range(99))
    columns = [Column(name=name, type="VARCHAR", values=values) for name in ("a", "b")]
    age = Column(name="age", type="BIGINT", bounds=Bounds(lower=0, upper=100))
    table = TableSchema(name="t", mode="dp", columns=(*columns, age))
    medians = ", ".join(f"median(age) FILTER (WHERE age > {i})" for i in range(20))
    with pytest.raises(SqlRefused) as refused:
        plan_query(f"SELECT a, b, {medians} FROM t GROUP BY a, b", [table])
    assert refused.value.code == "sql.private_size"
    assert refused.value.params["numbers"] == 100 * 100 * 20 * 64
    plan_query("SELECT a, b, count(*), avg(age), stddev(age) FROM t GROUP BY a, b", [table])


def test_declared_names_that_would_fill_the_room_count_as_not_declared() -> None:
    columns = [
        Column(name=name, type="VARCHAR", values=tuple("x" * length + str(i) for i in range(99)))
        for name, length in (("short", 10), ("long", 4_000))
    ]
    table = TableSchema(name="t", mode="dp", columns=tuple(columns))
    for by, threshold_needed in (("long", False), ("short, long", True)):
        release = plan_query(f"SELECT {by}, count(*) FROM t GROUP BY {by}", [table]).release
        assert release is not None
        assert (release.presence is not None) == threshold_needed


async def test_names_of_any_length_leave_a_real_jail_cut_and_end_no_query(tmp_path: Path) -> None:
    require_layers()
    persons = 3_000
    path = str(tmp_path / "survey.parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT (i % 300 + 100) || repeat('x', 7000) AS village FROM range({persons}) t(i)) TO '{path}'"
        )
    plan, _ = planned(VILLAGES)
    pool = Pool(jails=1, threads=1, memory_bytes=512 * 1024 * 1024, queue=2)
    await pool.start()
    try:
        files = [TableFiles(name="survey", parts=(Path(path),))]
        spending = Spending(budget=GENEROUS, persons_at_most=persons)
        answer = await run(plan, files, Limits(max_rows=1_000), pool, spending=spending)
    finally:
        await pool.close()
    names = pa.ipc.open_stream(answer.stream).read_all().column(0).to_pylist()
    assert len(names) > 250
    assert {len(name) for name in names} == {100}
