"""Of the analyst's text only strings and names of the answer's columns reach the engine, both escaped."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render
from tests.sandbox.plan.asking import World
from tests.sandbox.plan.world import TABLES

PLAIN = duckdb.connect()
SOURCES = {"people": ["/fd/1.parquet"], "shops": ["/fd/2.parquet"]}
ATTACKS = [
    "'; DROP TABLE people; --",
    "' UNION SELECT * FROM read_text('/etc/passwd') --",
    "\\'; SELECT 1; --",
    "''",
    "'",
    "\\",
    "\"; ATTACH 'x'; --",
    '""',
    "$$; SELECT 1; $$",
    "/*",
    "*/ --",
    "\u2019; --",
    "\uff07; --",
    "E'\\x27'",
    "%s %(x)s {0} {} ? $1 :a @b",
    "line\nbreak\ttab",
    "đường; xe",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_string_stays_a_string(world: World, attack: str) -> None:
    literal = attack.replace("'", "''")
    assert world.ours(f"SELECT '{literal}' AS x") == [(attack,)]
    assert world.ours(f"SELECT count(*) FROM people WHERE note = '{literal}' OR note LIKE '{literal}'") == [(0,)]


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.isprintable()])
def test_a_name_stays_a_name(world: World, attack: str) -> None:
    name = attack.replace('"', '""')
    assert world.ours(f'SELECT 1 AS "{name}"') == [(1,)]
    assert world.ours(f'SELECT "{name}".age FROM people AS "{name}" WHERE "{name}".age = 7 LIMIT 1') == [(7,)]
    assert world.ours(f'WITH "{name}" AS (SELECT 1 AS "{name}") SELECT "{name}" + 1 FROM "{name}"') == [(2,)]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_any_string_comes_back_as_it_is(value: str) -> None:
    escaped = value.replace("'", "''")
    try:
        plan = plan_query(f"SELECT '{escaped}' AS x", TABLES)
    except SqlRefused as refused:
        assert refused.code == "sql.syntax" and "\ufeff" in value  # noqa: PT017, PT018
        return
    assert PLAIN.execute(render(plan, SOURCES)).fetchall() == [(value,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT $$abc$$",
        "SELECT $a$x'y$a$",
        "SELECT E'a\\'b'",
        "SELECT x'ab'",
        "SELECT n'abc'",
        "SELECT U&'abc'",
        "SELECT 'a' 'b'",
        "SELECT ?",
        "SELECT $1",
        "SELECT :name",
        "SELECT `age` FROM people",
        "SELECT CAST('1' AS \"BIGINT); DROP TABLE people; --\")",
        "SELECT INTERVAL '1 day); DROP TABLE people; --'",
        "SELECT main.sum(age) FROM people",
        "SELECT age FROM main.people",
        "SELECT \"read_text\"('/etc/passwd')",
        "SELECT * FROM \"read_text\"('/etc/passwd')",
        "SELECT rowid FROM people",
        "SELECT filename FROM people",
        "SELECT people FROM people",
        "SELECT age INTO x FROM people",
        "SELECT age FROM people FOR UPDATE",
    ],
)
def test_other_ways_to_write_text_and_reach_out_are_refused(world: World, sql: str) -> None:
    assert world.refusal(sql).code.startswith("sql.")


def test_comments_do_not_reach_the_engine(world: World) -> None:
    plan = world.plan("SELECT /* secret */ 1 -- more\n, 2; -- end")
    assert "secret" not in render(plan, SOURCES)
    assert "--" not in render(plan, SOURCES)


def test_paths_are_escaped_and_are_the_only_files_read(world: World) -> None:
    plan = world.plan("SELECT age FROM people")
    written = render(plan, {"people": ["/fd/o'clock.parquet", "/fd/2.parquet"]})
    assert "read_parquet(['/fd/o''clock.parquet', '/fd/2.parquet'])" in written
