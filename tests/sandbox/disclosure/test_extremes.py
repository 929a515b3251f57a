"""dp mode: every function that may stand over a record, over the ends of every type, fails for none of them."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from itertools import product

import duckdb
import pytest

from sandbox.disclosure.per_record import ALLOWED
from sandbox.job import Column, TableSchema
from sandbox.plan.errors import SqlRefused
from sandbox.plan.functions import FUNCTIONS
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render

ENDS = {
    "BIGINT": "0, 1, -1, 7, 63, 64, 20, 2147483648, -2147483649, 9223372036854775807, -9223372036854775808, NULL",
    "DOUBLE": "'0', '-0.0', 'nan', 'inf', '-inf', '-1', '1e308', '-1e308', '5e-324', '171.7', '1e19', NULL",
    "DECIMAL(38,0)": f"'{'9' * 38}', '-{'9' * 38}', '0', NULL",
    "VARCHAR": "'', 'a', 'é', '👨‍👩‍👧', chr(0), 'İ', 'ß', '2020-01-01', 'inf', '%', '\\', NULL",
    "DATE": "'infinity', '-infinity', '5881580-07-10', '5877642-06-25 (BC)', '2020-02-29', '0001-01-01', NULL",
    "TIMESTAMP": "'infinity', '-infinity', '294247-01-10 04:00:54.775806', '294247-01-10 04:00:54.7753', "
    "'290309-12-22 (BC) 00:00:00', '0001-01-01', '1969-12-31 23:59:59.999999', NULL",
    "BOOLEAN": "true, false, NULL",
}
NAMED = {"i": "BIGINT", "j": "BIGINT", "x": "DOUBLE", "y": "DOUBLE", "n": "DECIMAL(38,0)", "s": "VARCHAR",
         "u": "VARCHAR", "d": "DATE", "e": "DATE", "w": "TIMESTAMP", "v": "TIMESTAMP", "b": "BOOLEAN"}  # fmt: skip
EDGES = TableSchema(name="edges", mode="dp", columns=tuple(Column(name=n, type=t) for n, t in NAMED.items()))
NUMBERS = [("i", "j"), ("x", "y"), ("n", "n"), ("CAST(i AS INTEGER)", "CAST(j AS INTEGER)")]
WHOLE = [("i", "j"), ("CAST(i AS INTEGER)", "j")]
GIVEN: dict[str, list[tuple[str, str]]] = {
    "NUMBER": NUMBERS, "WHOLE": WHOLE, "INTEGER": [("CAST(i AS INTEGER)", "CAST(j AS INTEGER)")],
    "DOUBLE": [("x", "y"), ("i", "j")], "VARCHAR": [("s", "u")], "BOOLEAN": [("b", "b")],
    "TEMPORAL": [("d", "e"), ("w", "v"), ("d", "v")], "TIMESTAMP": [("w", "v"), ("d", "v")],
    "MOMENT": [("d", "e"), ("w", "v"), ("age(w, v)", "age(v, w)")],
    "INTERVAL": [("age(w, v)", "age(v, w)"), ("to_months(CAST(i AS INTEGER))", "INTERVAL 1 MONTH")],
    "T": [("i", "x"), ("n", "i"), ("s", "u"), ("d", "v")], "PLAIN": [("s", "i")], "ANY": [("s", "i")],
    "PART": [(f"'{part}'", "'day'") for part in ("day", "century", "microsecond", "epoch", "isoyear", "julian")],
    "TEXT": [("'%Y-%j %f'", "'%c'")], "PERIOD": [("INTERVAL 3 DAY",) * 2, ("INTERVAL 1 MONTH",) * 2],
    "DIGITS": [("2", "-3"), ("30", "-400")],
}  # fmt: skip


MOST = 24
REFUSED = {"sql.wrong_arguments", "sql.type_mismatch"}
"""Beside what needs more than 38 digits: sql.private_function."""


def calls(name: str) -> list[str]:
    """With every kind of argument, with as few and as many of them as it takes; of very many some."""
    found = list(every_call(name))
    return random.Random(name).sample(found, min(len(found), MOST))


def every_call(name: str) -> Iterator[str]:
    words = FUNCTIONS[name].arguments
    fewest = sum(1 for word in words if word[-1] not in "?*")
    for count in sorted({fewest, len(words)}):
        for pairs in product(*(GIVEN[word.rstrip("?*")] for word in words[:count])):
            call = f"{name}({', '.join(pair[index % 2] for index, pair in enumerate(pairs))})"
            yield f"v + {call}" if FUNCTIONS[name].answer == "INTERVAL" else call


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("SET threads = 1")
        yield opened


def _column(name: str) -> str:
    kind = NAMED[name]
    values = ", ".join(f"({value})" for value in ENDS[kind].split(", "))
    return f"(SELECT CAST(c AS {kind}) AS {name} FROM (VALUES {values}) ends(c))"


def ask(connection: duckdb.DuckDBPyConnection, expression: str) -> None:
    plan = plan_query(f"SELECT count({expression}) FROM edges", [EDGES])
    assert plan.release is not None
    written = render(dataclasses.replace(plan, output=plan.release.measured), {"edges": ["x"]})
    ends = " CROSS JOIN ".join(_column(name) for name in plan.reads["edges"])
    source = f"(SELECT * FROM {ends})" if ends else "range(3)"
    connection.execute(written.replace("read_parquet(['x'])", source)).fetchall()


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_no_end_of_a_type_makes_a_function_fail(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    asked = 0
    for call in calls(name):
        try:
            ask(connection, call)
            asked += 1
        except SqlRefused as refused:
            assert refused.code in REFUSED | ({"sql.private_function"} if "n" in call else set()), call  # noqa: PT017
    assert asked


OPERATORS = [
    "+", "-", "*", "/", "//", "%", "**", "&", "|", "<<", ">>", "=", "<", "LIKE", "ILIKE", "IS DISTINCT FROM",
    "BETWEEN i AND", "BETWEEN w AND", "IN (i, x, n,", "IN (w,",
]  # fmt: skip


@pytest.mark.parametrize("operator", OPERATORS)
def test_no_end_of_a_type_makes_an_operator_fail(connection: duckdb.DuckDBPyConnection, operator: str) -> None:
    columns = [
        "i",
        "x",
        "n",
        "s",
        "d",
        "w",
        "CAST(j AS INTEGER)",
        "CAST(j AS HUGEINT)",
        "CAST(n AS DECIMAL(18,3))",
    ]
    asked = 0
    for left, right in product(columns, repeat=2):
        try:
            ask(connection, f"({left} {operator} {right}{')' if 'IN (' in operator else ''})")
            asked += 1
        except SqlRefused as refused:
            wide = {"n", "CAST(j AS HUGEINT)"} & {left, right}
            assert refused.code in REFUSED | ({"sql.private_function"} if wide else set())  # noqa: PT017
    assert asked
