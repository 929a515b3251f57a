"""Each limit: what is just within it is answered, what is one above is refused, with the limit and what to do."""

from __future__ import annotations

import pytest

from sandbox.plan import limits
from tests.sandbox.plan.asking import World

# What the text itself needs beside the parentheses: the query, its column.
LEVELS = limits.DEPTH - 2


def padded(size: int) -> str:
    return "SELECT 1".ljust(size)


def nested(levels: int) -> str:
    return "SELECT " + "(" * levels + "1" + ")" * levels


def terms(count: int) -> str:
    """A list of 996 constants, used five times (with its own node four times), and `count` constants."""
    return f"SELECT [{', '.join(['1'] * 996)}] AS a, a AS b, a AS c, a AS d, a AS e" + ", 1" * count


def queries(count: int) -> str:
    return "SELECT " + ", ".join(["(SELECT 1)"] * (count - 1))


def joins(count: int) -> str:
    return "SELECT count(*) FROM (SELECT 1 AS a)" + ", (SELECT 1 AS a)" * count


def in_list(count: int) -> str:
    return f"SELECT count(*) FROM people WHERE age IN ({', '.join(['7'] * count)})"


def rows_in(count: int) -> str:
    return f"SELECT count(*) FROM people WHERE (age, ok) IN ({', '.join(['(7, TRUE)'] * count)})"


def listed(count: int) -> str:
    return f"SELECT len([{', '.join(['7'] * count)}])"


def values(count: int) -> str:
    return f"SELECT count(*) FROM (VALUES {', '.join(['(7)'] * count)})"


def columns(count: int) -> str:
    return "SELECT " + ", ".join(["1"] * count)


def named(length: int) -> str:
    return f"SELECT 1 AS {'a' * length}"


BOUNDS = [
    (padded, limits.TEXT_BYTES, "sql.too_long", limits.TEXT_BYTES),
    (nested, LEVELS, "sql.too_deep", limits.DEPTH),
    (terms, limits.NODES - 5 * 996 - 4, "sql.too_many_terms", limits.NODES),
    (queries, limits.QUERIES, "sql.too_many_terms", limits.QUERIES),
    (joins, limits.JOINS, "sql.too_many_joins", limits.JOINS),
    (in_list, limits.IN_LIST, "sql.list_too_long", limits.IN_LIST),
    (rows_in, limits.IN_LIST, "sql.list_too_long", limits.IN_LIST),
    (listed, limits.IN_LIST, "sql.list_too_long", limits.IN_LIST),
    (values, limits.IN_LIST, "sql.list_too_long", limits.IN_LIST),
    (columns, limits.OUTPUT_COLUMNS, "sql.too_many_columns", limits.OUTPUT_COLUMNS),
    (named, limits.NAME_CHARACTERS, "sql.name_not_usable", limits.NAME_CHARACTERS),
]


@pytest.mark.parametrize(("write", "most", "code", "limit"), BOUNDS, ids=[b[0].__name__ for b in BOUNDS])
def test_at_the_limit_it_is_answered_and_above_it_is_refused(
    world: World, write: object, most: int, code: str, limit: int
) -> None:
    assert callable(write)
    assert len(world.ours(write(most))) == 1
    refused = world.refusal(write(most + 1))
    assert (refused.code, refused.params["limit"]) == (code, limit)
