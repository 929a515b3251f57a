"""A row filter holds for every record that is read: whatever the SQL, it answers as if nothing else were there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sandbox.disclosure.row_filter import RowFilterUnknown, condition
from sandbox.isolation.pool import Pool
from sandbox.job import Limits, RowFilter, TableFiles
from sandbox.plan.render import render
from sandbox.run import run
from tests.attack.conftest import require_layers
from tests.sandbox.disclosure.spec import ACCEPTED as OVER_COHORTS
from tests.sandbox.plan.asking import Rows, World, same
from tests.sandbox.plan.spec import ACCEPTED

WOMEN = RowFilter(column="sex", type="VARCHAR", values=("Female", "it's"))
OF_AGE = RowFilter(column="age", type="BIGINT", low=18, high=40)
OLD = RowFilter(column="nam", type="BIGINT", values=(1990, 1991))
THERE = RowFilter(column="tinh", type="VARCHAR", values=("Huế", "Hà Nội"))
IN_ROWS = [sql for examples in ACCEPTED.values() for sql in examples]
AROUND = (
    "SELECT * FROM people", "SELECT DISTINCT sex, age FROM people",
    "SELECT * FROM people a FULL JOIN people b ON a.age = b.hours",
    "SELECT p.sex, s.rank FROM shops s LEFT JOIN people p ON p.sex = s.sex",
    "WITH p AS (SELECT * FROM people) SELECT count(*) FROM p WHERE sex = 'Male' OR sex IS NULL",
    "SELECT rank FROM shops s WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.sex = s.sex)",
    "SELECT sex FROM people UNION ALL SELECT sex FROM people WHERE age > 50",
    "SELECT sex FROM shops EXCEPT SELECT sex FROM people", "SELECT (SELECT max(age) FROM people) AS oldest",
    "SELECT age, lag(age) OVER (ORDER BY age, seen) FROM people "
    "QUALIFY row_number() OVER (ORDER BY age DESC, seen) < 9",
)  # fmt: skip


def both(world: World, sql: str, filters: Mapping[str, tuple[RowFilter, ...]]) -> tuple[Rows, Rows]:
    """Ours with the filters; plain DuckDB over tables in which nothing else is."""
    conditions = {table: condition(of) for table, of in filters.items()}
    ours = world.connection.sql(render(world.plan(sql), world.sources, conditions)).fetchall()
    with world.connection.cursor() as alone:
        for table, where in conditions.items():
            alone.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM memory.main.{table} WHERE {where}")
        return ours, alone.execute(sql).fetchall()


@pytest.mark.parametrize("sql", [*AROUND, *IN_ROWS])
def test_in_rows_mode_no_sql_reaches_past_it(world: World, sql: str) -> None:
    ours, plain = both(world, sql, {"people": (WOMEN, OF_AGE)})
    assert same(ours, plain), (ours[:3], plain[:3])


@pytest.mark.parametrize(
    "told",
    [
        "CAST(CASE WHEN {hidden} THEN 'x' ELSE '1' END AS INTEGER)",
        "1 + CASE WHEN {hidden} THEN 9223372036854775807 ELSE 0 END",
        "1 << CASE WHEN {hidden} THEN 99 ELSE 0 END",
    ],
)
@pytest.mark.parametrize("hidden", ["sex = 'Male'", "age > 40"])
def test_whether_a_hidden_record_would_fail_is_not_told(world: World, told: str, hidden: str) -> None:
    """The engine orders conditions as it likes: an error before the filter would tell of what it hides."""
    sql = f"SELECT count(*) FROM people WHERE {told.format(hidden=hidden)} = 1"
    ours, plain = both(world, sql, {"people": (WOMEN, OF_AGE)})
    assert ours == plain
    assert world.plain(f"SELECT count(*) FROM people WHERE {hidden}") != [(0,)]


@pytest.mark.parametrize("sql", OVER_COHORTS)
def test_in_aggregate_mode_it_chooses_whole_cohorts(persons: World, sql: str) -> None:
    ours, plain = both(persons, sql, {"licences": (OLD, THERE)})
    assert same(ours, plain), (ours[:3], plain[:3])


async def test_the_jail_answers_under_it(world: World) -> None:
    require_layers()
    pool = Pool(jails=1, threads=1, memory_bytes=256 * 1024 * 1024, queue=2)
    files = [TableFiles(name="people", parts=tuple(map(Path, world.sources["people"])), row_filter=(WOMEN,))]
    await pool.start()
    try:
        plan = world.plan("SELECT DISTINCT sex FROM people ORDER BY sex")
        unknown = TableFiles(
            name="people", parts=files[0].parts, row_filter=(RowFilter(column="sex", type="VARCHAR"),)
        )
        with pytest.raises(RowFilterUnknown):
            await run(plan, [unknown], Limits(), pool)
        assert (await run(plan, files, Limits(), pool)).rows == 1
    finally:
        await pool.close()


@pytest.mark.parametrize(
    "wrong",
    [
        RowFilter(column="sex", type="VARCHAR"), RowFilter(column="sex", type="VARCHAR", low="a"),
        RowFilter(column="sex", type="VARCHAR", values=(1,)), RowFilter(column="ok", type="BOOLEAN", values=(1,)),
        RowFilter(column="age", type="BIGINT", values=(True,)),
        RowFilter(column="age", type="BIGINT", values=("1",)),
        RowFilter(column="age", type="BIGINT", values=(2**63,)), RowFilter(column="age", type="BIGINT", low=1.5),
        RowFilter(column="age", type="BIGINT", values=(1,), low=1), RowFilter(column="ok", type="BOOLEAN", low=1),
        RowFilter(column="pay", type="DOUBLE", low=float("nan")),
        RowFilter(column="born", type="DATE", low="today"),
        RowFilter(column="born", type="DATE", low="2020-01-01T10:00"),
        RowFilter(column="seen", type="TIMESTAMP", high="2020-01-01T10:00+07:00"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_never_taken_for_no_filter(wrong: RowFilter) -> None:
    with pytest.raises(RowFilterUnknown):
        condition([WOMEN, wrong])


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (RowFilter(column="born", type="DATE", low="2020-03-01", high="2020-05-01"),
         "born BETWEEN DATE '2020-03-01' AND DATE '2020-05-01'"),
        (RowFilter(column="seen", type="TIMESTAMP", high="2020-01-20T10:30:00"),
         "seen <= TIMESTAMP '2020-01-20 10:30'"),
        (RowFilter(column="pay", type="DOUBLE", low=3, high=9.75), "pay BETWEEN 3 AND 9.75"),
        (RowFilter(column="age", type="BIGINT", low=-5, high=12), "age BETWEEN -5 AND 12"),
        (RowFilter(column="ok", type="BOOLEAN", values=(False,)), "NOT ok"),
        (RowFilter(column="note", type="VARCHAR", values=("n1_é'\"", "' OR '1'='1")), "note = 'n1_é''\"'"),
    ],
)  # fmt: skip
def test_each_type_is_compared_as_what_it_is(world: World, given: RowFilter, where: str) -> None:
    assert world.plain(f"SELECT count(*) FROM people WHERE {condition([given])}") == world.plain(
        f"SELECT count(*) FROM people WHERE {where}"
    )
