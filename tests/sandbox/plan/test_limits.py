"""Hostile and oversized text is refused quickly, and says where."""

from __future__ import annotations

from random import Random

import pytest

from sandbox.plan.errors import SqlRefused
from sandbox.plan.limits import DEPTH, IN_LIST, JOINS, TEXT_BYTES
from tests.sandbox.plan.asking import World
from tests.work import at_most

MEGABYTE = 1_000_000
MOST_CALLS = 1_000_000
"""Twice what the longest text here takes; where work doubles with each of 24 levels, it is sixteen times this."""

HUGE = {
    "one word": "SELECT " + "a" * MEGABYTE,
    "one string": "SELECT '" + "x" * MEGABYTE + "'",
    "many terms": "SELECT " + "1," * (MEGABYTE // 2),
    "brackets": "SELECT " + "(" * MEGABYTE,
    "comments": "SELECT /*" + "*" * MEGABYTE,
}
DEEP = {
    "parentheses": "SELECT " + "(" * 500 + "1" + ")" * 500,
    "functions": "SELECT " + "abs(" * 500 + "1" + ")" * 500,
    "subqueries": "SELECT " + "(SELECT " * 90 + "1" + ")" * 90,
    "tables": "SELECT * FROM " + "(SELECT * FROM " * 90 + "people" + ")" * 90,
    "cases": "SELECT " + "CASE WHEN TRUE THEN " * 500 + "1" + " END" * 500,
    "lists": "SELECT " + "[" * 90 + "1" + "]" * 90,
    "not": "SELECT " + "NOT " * 5_000 + "TRUE",
    "minus": "SELECT " + "- " * 4_000 + "1",
    "casts": "SELECT 1" + "::BIGINT" * 2_000,
    "sums": "SELECT 1" + " + 1" * 2_000,
    "indexes": "SELECT a" + "[1]" * 3_000,
    "unions": "SELECT 1" + " UNION ALL SELECT 1" * 2_000,
    "lambdas": "SELECT " + "f(x -> " * 500 + "1" + ")" * 500,
    "types": "SELECT CAST(1 AS " + "STRUCT(a " * 200 + "INT" + ")" * 200 + ")",
    "signs": "SELECT " + "+" * 60_000 + "1",
    "dots": "SELECT a" + ".a" * 20_000,
    "dates": "SELECT " + "DATE " * 3_000,
    "arrows": "SELECT a" + " -> 'a'" * 3_000,
    "slices": "SELECT a" + "[1:2]" * 90,
    "trims": "SELECT " + "trim(BOTH 'a' FROM " * 500 + "'b'" + ")" * 500,
    "laterals": "SELECT 1 FROM " + "LATERAL (SELECT 1 FROM " * 90 + "people" + ")" * 90,
    "rows": "SELECT " + "(1, " * 500 + "1" + ")" * 500,
    "groups": "SELECT " + "mode() WITHIN GROUP (ORDER BY " * 500 + "1" + ")" * 500,
    "recursions": "WITH RECURSIVE q AS (SELECT 1 UNION " * 90 + "SELECT 1" + " FROM q) SELECT 1" * 90,
}


@pytest.mark.parametrize("name", sorted(HUGE))
def test_a_megabyte_is_refused_at_once(world: World, name: str) -> None:
    with at_most(calls=100):
        assert world.refusal(HUGE[name]).code == "sql.too_long"


@pytest.mark.parametrize("name", sorted(DEEP))
def test_deep_and_long_text_is_refused_quickly(world: World, name: str) -> None:
    with at_most(MOST_CALLS):
        code = world.refusal(DEEP[name]).code
    assert code in {"sql.too_deep", "sql.too_many_terms", "sql.syntax", "sql.not_supported"}


def test_names_that_look_alike_are_not_compared_without_end(world: World) -> None:
    """A refusal says which name is nearest, and is free."""
    random = Random(1)
    word, *names = ("w" + "".join(random.choices("ab", k=190)) for _ in range(301))
    windows = ", ".join(f"{name} AS ()" for name in names)
    with at_most(MOST_CALLS):
        assert (
            world.refusal(f"SELECT count(*) OVER {word} FROM people WINDOW {windows}").code == "sql.unknown_column"
        )


def test_rows_of_many_values_are_walked_once(world: World) -> None:
    rows = ", ".join(f"({', '.join('1' * 96)})" for _ in range(48))
    with at_most(MOST_CALLS):
        values = world.plan(f"SELECT * FROM (VALUES {rows}) AS v")
    with at_most(MOST_CALLS):
        compared = world.plan(f"SELECT 1 FROM people WHERE ({', '.join('1' * 96)}) IN ({rows})")
    assert (len(values.output), len(compared.output)) == (96, 1)


GUESSED = {
    "rows": ("ROW(", ")"), "dates": ("DATE (", ")"), "arrays": ("ARRAY[", "]"), "maps": ("MAP {", "}"),
    "structs": ("STRUCT(", ")"), "decimals": ("DECIMAL(", ")"), "intervals": ("INTERVAL (", ") DAY"),
    "lambdas": ("f((x, y) -> ", ")"), "casts": ("CAST(", " AS INT)"), "tries": ("TRY(", ")"),
    "lists": ("list(1 ORDER BY ", ")"), "any": ("1 = ANY (", ")"), "dots": ("(a).b(", ")"),
}  # fmt: skip


@pytest.mark.parametrize("levels", [12, 24, DEPTH - 4])
@pytest.mark.parametrize("name", sorted(GUESSED))
def test_where_sqlglot_guesses_the_work_does_not_double_with_each_level(
    world: World, name: str, levels: int
) -> None:
    opening, closing = GUESSED[name]
    tails = ["", closing * (levels - 1), closing * levels]
    understood = [_is_understood(world, "SELECT " + opening * levels + "1" + tail) for tail in tails]
    assert understood[:2] == [False, False]


def _is_understood(world: World, sql: str) -> bool:
    try:
        with at_most(MOST_CALLS):
            world.plan(sql)
    except SqlRefused:
        return False
    return True


def test_queries_in_a_recursion_are_walked_once_each(world: World) -> None:
    inside = "(SELECT max(rank) FROM shops WHERE rank > " * 15 + "0" + ")" * 15
    sql = f"WITH RECURSIVE q AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM q WHERE a < {inside}) SELECT a FROM q"
    with at_most(MOST_CALLS):
        world.plan(sql)
    assert world.refusal(sql.replace("FROM shops WHERE rank > 0", "FROM q, shops WHERE rank > 0"))


def test_what_is_just_deep_enough_is_read(world: World) -> None:
    levels = DEPTH - 4
    assert world.ours("SELECT " + "(" * levels + "1" + ")" * levels) == [(1,)]


def test_depth_does_not_depend_on_the_callers_stack(world: World) -> None:
    levels = DEPTH - 4
    sql = "SELECT " + "(" * levels + "2" + ")" * levels

    def from_below(frames: int) -> object:
        return from_below(frames - 1) if frames else world.plan(sql).output

    assert from_below(300)


def test_a_thousand_conditions_are_no_depth(world: World) -> None:
    sql = "SELECT count(*) FROM people WHERE " + " OR ".join(f"age = {i}" for i in range(800))
    assert world.ours(sql) == world.plain(sql)


def test_joins_and_lists_are_counted(world: World) -> None:
    tables = ", ".join(f"shops s{i}" for i in range(JOINS + 2))
    assert world.refusal(f"SELECT 1 FROM {tables}").code == "sql.too_many_joins"
    values = ", ".join(map(str, range(IN_LIST + 1)))
    refused = world.refusal(f"SELECT age FROM people WHERE age IN ({values})")
    assert (refused.code, refused.word) == ("sql.list_too_long", str(IN_LIST))


def test_aliases_that_double_each_time_are_counted(world: World) -> None:
    items = ", ".join(["age AS a0", *(f"a{i} + a{i} AS a{i + 1}" for i in range(40))])
    assert world.refusal(f"SELECT {items} FROM people").code == "sql.too_many_terms"


def test_aliases_that_hold_queries_are_counted_with_what_is_in_them(world: World) -> None:
    big = "(SELECT count(*) FROM people WHERE " + " OR ".join(f"age = {i}" for i in range(200)) + ")"
    items = ", ".join([f"{big} AS a0", *(f"a{i} + a{i} AS a{i + 1}" for i in range(12))])
    assert world.refusal(f"SELECT {items}").code == "sql.too_many_terms"


def test_ctes_that_double_each_time_are_counted(world: World) -> None:
    steps = [f"c{i + 1} AS (SELECT * FROM c{i} a CROSS JOIN c{i} b)" for i in range(7)]
    sql = f"WITH c0 AS (SELECT * FROM people), {', '.join(steps)} SELECT * FROM c7"
    assert world.refusal(sql).code in {"sql.too_many_columns", "sql.too_many_terms", "sql.too_many_joins"}


def test_windows_and_orders_that_are_used_again_and_again_are_counted(world: World) -> None:
    keys, uses = ", ".join(["NULL"] * 2_500), ", ".join(["count(*) OVER w"] * 490)
    named = f"SELECT {uses} FROM people WINDOW w AS (PARTITION BY {keys})"
    orders = f"SELECT {', '.join(['age'] * 490)} FROM people ORDER BY {', '.join(['ALL'] * 1_000)}"
    for sql in (named, orders):
        with at_most(MOST_CALLS):
            assert world.refusal(sql).code == "sql.too_many_terms"


def test_the_limit_is_in_bytes(world: World) -> None:
    assert world.refusal("SELECT '" + "đ" * (TEXT_BYTES // 2) + "'").code == "sql.too_long"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\ud800", "\ufeff"])
def test_control_characters_are_refused_where_they_stand(world: World, character: str) -> None:
    refused = world.refusal(f"SELECT '\n {character}'")
    assert (refused.code, refused.line, refused.column) == ("sql.syntax", 2, 2)


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT age,\n  agee\nFROM people", 2, 3),
        ("SELECT 'đà nẵng',\r\n agee FROM people", 2, 2),
        ("-- ghi chú\n/* dài\n dòng */ SELECT\tage FROM people WHERE\n\n\tnope(age) = 1", 5, 2),
        ("SELECT age\nFROM people\nWHERE agee = 1", 3, 7),
        ("SELECT age FROM people;\nSELECT 1", 2, 1),
        ("SELECT age\nFROM people GROUP sex", 2, 19),
    ],
)
def test_the_place_is_that_of_the_word(world: World, sql: str, line: int, column: int) -> None:
    refused = world.refusal(sql)
    assert (refused.line, refused.column) == (line, column)
