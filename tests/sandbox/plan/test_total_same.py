"""A total form gives what the engine gives where that has a value, over values that persons' records hold."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import product

import duckdb
import pytest

from sandbox.disclosure.per_record import ALLOWED
from sandbox.job import TableSchema
from sandbox.plan.errors import Refusal, SqlRefused
from sandbox.plan.plan import plan_query
from sandbox.plan.render import Writer
from sandbox.plan.total import total
from sandbox.plan.tree import Select, Source
from tests.sandbox.disclosure.test_extremes import EDGES, NAMED, every_call

TABLE = TableSchema(name="edges", mode="rows", columns=EDGES.columns)
DICE = random.Random(3)


def _day() -> str:
    return f"{DICE.randint(1, 9999):04}-{DICE.randint(1, 12):02}-{DICE.randint(1, 28):02}"


def _value(kind: str) -> object:
    wide = [DICE.randint(-5, 40), DICE.randint(-3_000, 3_000), DICE.randint(-(2**61), 2**61), 2**62, 0, 1, 2020]
    values: dict[str, list[object]] = {
        "BIGINT": [*wide], "DOUBLE": [DICE.uniform(-100, 100), 0.0, 1e300, -1.0],
        "DECIMAL(38,0)": [DICE.randint(-(10**6), 10**6), 0], "VARCHAR": ["", "abc", "đe", "2020-01-03", "x%y"],
        "DATE": [_day(), "2020-02-29", "0001-01-01"], "BOOLEAN": [True, False],
        "TIMESTAMP": [f"{_day()} 12:34:56.789", "2020-02-29 00:00:00"],
    }  # fmt: skip
    return DICE.choice([*values[kind], None])


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        # What stands twice in a TRY is worked out once, outside of it: here TRY is what is compared with.
        opened.execute("SET threads = 1; SET disabled_optimizers = 'common_subexpressions'")
        opened.execute(f"CREATE TABLE edges ({', '.join(f'{n} {k}' for n, k in NAMED.items())})")
        rows = [[_value(kind) for kind in NAMED.values()] for _ in range(150)]
        opened.executemany(f"INSERT INTO edges VALUES ({', '.join('?' * len(NAMED))})", rows)
        yield opened


OPERANDS = ["i", "j", "x", "s", "d", "w", "3", "2.5", "n", "CAST(j AS INTEGER)", "CAST(i AS DECIMAL(18,3))",
            "CAST(x AS DECIMAL(10,2))", "INTERVAL 3 MONTH"]  # fmt: skip
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "=", "<"]
OTHERS = [
    "-i", "-CAST(i AS INTEGER)", "-x", "-n", "nullif(i, 2.5)", "greatest(i, 2.5)", "coalesce(i, 2.5)",
    "CASE WHEN b THEN i ELSE 2.5 END", "i IN (1, 2.5)", "i BETWEEN 2.5 AND n", "lcm(i % 100, j % 77)",
    "make_date(i, j, 3)", "make_date(abs(i) % 3000, i % 13, 9)", "make_date(2020, abs(i) % 14, abs(j) % 33)",
    "round(CAST(x AS DECIMAL(10,2)), -1)", "round(CAST(x AS DECIMAL(10,2)), 1)", "round(i % 99, 0 - 1)",
    "strptime(s, '%Y-%m-%d')", "s LIKE 'a!%' ESCAPE '!'", "i + j * 2 - abs(j) // 3", "(i % 60) << (j % 62)",
    "date_diff('day', d, CAST(s AS DATE))",
]  # fmt: skip


ENDS = re.compile(r"left|substr|make_timestamp_ms|to_|<<")
"""A total form is NULL after the year 9999, and for offsets beyond 2^31, where the engine may have a value."""


def asked() -> Iterator[str]:
    yield from OTHERS
    for operator, left, right in product(OPERATORS, OPERANDS, OPERANDS):
        yield f"({left} {operator} {right})"
    for name in sorted(ALLOWED):
        found = list(every_call(name))
        yield from random.Random(name).sample(found, min(len(found), 2))


def differs(connection: duckdb.DuckDBPyConnection, expression: str) -> bool | None:
    """Whether for some row the total form says another value than the engine. None: it has none, or is none."""
    try:
        tree = plan_query(f"SELECT CAST({expression} AS VARCHAR) AS q FROM edges", [TABLE]).tree
        assert isinstance(tree, Select)
        assert isinstance(tree.source, Source)
        node = tree.items[0].expression
        changed = total(node)
    except (SqlRefused, Refusal):
        return None
    writer = Writer({"edges": ["x"]})
    plain, ours = writer.expression(node), writer.expression(changed)
    both = f"SELECT TRY({plain}) AS plain, {ours} AS ours FROM edges AS {tree.source.relation}"
    if ENDS.search(expression):
        both += " WHERE i BETWEEN -40 AND 40 AND j BETWEEN -40 AND 40"
    (count,) = connection.sql(f"SELECT count(*) FROM ({both}) WHERE plain IS DISTINCT FROM ours").fetchall()[0]
    return bool(count)


def test_a_total_form_says_what_the_engine_says(connection: duckdb.DuckDBPyConnection) -> None:
    found = {expression: differs(connection, expression) for expression in asked()}
    assert sum(1 for differing in found.values() if differing is not None) > 700
    assert [e for e, differing in found.items() if differing] == []
