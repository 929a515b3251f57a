"""Each type of expectation as DuckDB's SQL: how many values are tested, how many are not as expected."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import duckdb
from msgspec import Struct

from catalog.quality.suite import LOOKAROUND, Arguments, Expectation, Limit
from catalog.quality.wire import Counted

TABLE: Final = "checked"
OURS: Final = frozenset({"expect_compound_columns_to_be_unique", "expect_column_mean_to_be_between"})
"""Great Expectations groups rows with an empty cell wrongly; its means are inexact over 2⁵³, and fail for BOOLEAN:
these are judged by our counts alone."""
Types = dict[str, str]


class Unjudged(Exception):
    """Why an expectation cannot be judged: a word, never an engine's text, which may hold a cell."""


class Sql(Struct, frozen=True, kw_only=True):
    """Two aggregates over the table."""

    tested: str
    unexpected: str


def quoted(name: str) -> str:
    """As an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Limit, kind: str) -> str:
    """As a constant of the column's type. Raises Unjudged."""
    if isinstance(value, str):
        text = "'" + value.replace("'", "''") + "'"
        if kind in ("DATE", "TIMESTAMP"):
            return f"CAST({text} AS {kind})"
        if kind == "VARCHAR":
            return text
        raise Unjudged("type")
    if isinstance(value, bool):
        if kind == "BOOLEAN":
            return str(value).upper()
    elif kind in ("BIGINT", "DOUBLE"):
        return repr(value) if isinstance(value, int) else f"CAST('{value!r}' AS DOUBLE)"
    raise Unjudged("type")


def within(value: str, arguments: Arguments, kind: str) -> str:
    """Whether `value` lies between the limits, both of them inside."""
    sides = [
        f"{value} {sign} {literal(limit, kind)}"
        for sign, limit in ((">=", arguments.min_value), ("<=", arguments.max_value))
        if limit is not None
    ]
    if not sides:
        raise Unjudged("no_limits")
    return " AND ".join(sides)


def counted_in_one_pass(expectation: Expectation, types: Types) -> Sql | None:
    """None for what takes a query of its own. Raises Unjudged."""
    make = _ONE_PASS.get(expectation.type)
    return make(expectation.arguments, types) if make is not None else None


def _column(arguments: Arguments, types: Types) -> tuple[str, str]:
    name = arguments.column
    if name is None or name not in types:
        raise Unjudged("no_such_column")
    return quoted(name), types[name]


def _values(column: str, right: str) -> Sql:
    return Sql(tested=f"count({column})", unexpected=f"count(*) FILTER (WHERE NOT ({right}))")


def _not_null(arguments: Arguments, types: Types) -> Sql:
    column, _ = _column(arguments, types)
    return Sql(tested="count(*)", unexpected=f"count(*) FILTER (WHERE {column} IS NULL)")


def _between(arguments: Arguments, types: Types) -> Sql:
    column, kind = _column(arguments, types)
    return _values(column, within(column, arguments, kind))


def _in_set(arguments: Arguments, types: Types) -> Sql:
    column, kind = _column(arguments, types)
    values = ", ".join(literal(v, kind) for v in arguments.value_set or ())
    if not values:
        raise Unjudged("no_values")
    return _values(column, f"{column} IN ({values})")


def _regex(arguments: Arguments, types: Types) -> Sql:
    column, kind = _column(arguments, types)
    if kind != "VARCHAR" or arguments.regex is None:
        raise Unjudged("type")
    if LOOKAROUND.search(arguments.regex):
        raise Unjudged("lookaround")
    return _values(column, f"regexp_matches({column}, {literal(arguments.regex, kind)})")


def _lengths(arguments: Arguments, types: Types) -> Sql:
    column, kind = _column(arguments, types)
    if kind != "VARCHAR":
        raise Unjudged("type")
    return _values(column, within(f"length({column})", arguments, "BIGINT"))


def _greater(arguments: Arguments, types: Types) -> Sql:
    pair = (arguments.column_a, arguments.column_b)
    if pair[0] not in types or pair[1] not in types or pair[0] is None or pair[1] is None:
        raise Unjudged("no_such_column")
    a, b = quoted(pair[0]), quoted(pair[1])
    return Sql(
        tested=f"count(*) FILTER (WHERE {a} IS NOT NULL AND {b} IS NOT NULL)",
        unexpected=f"count(*) FILTER (WHERE NOT ({a} {'>=' if arguments.or_equal else '>'} {b}))",
    )


_ONE_PASS: Final[dict[str, Callable[[Arguments, Types], Sql]]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_match_regex": _regex,
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_pair_values_a_to_be_greater_than_b": _greater,
}


def judged(tested: int, unexpected: int, mostly: float) -> Counted:
    """Of nothing tested everything is as expected. The shares are compared exactly."""
    met = Fraction(tested - unexpected) >= Fraction(Decimal(str(mostly))) * tested
    return Counted(tested=tested, unexpected=unexpected, met=met)


def count_alone(connection: duckdb.DuckDBPyConnection, expectation: Expectation, types: Types) -> Counted:
    """What takes a query of its own. Raises Unjudged, duckdb.Error."""
    arguments = expectation.arguments
    if expectation.type == "expect_table_row_count_to_be_between":
        return _whole(_one(connection, f"SELECT count(*) FROM {TABLE}"), arguments)
    if expectation.type == "expect_compound_columns_to_be_unique":
        names = arguments.column_list or ()
        if len(names) < 2 or not set(names) <= set(types):
            raise Unjudged("no_such_column")
        return _unique(connection, [quoted(name) for name in names], arguments.mostly)
    column, kind = _column(arguments, types)
    if expectation.type == "expect_column_values_to_be_unique":
        return _unique(connection, [column], arguments.mostly)
    if expectation.type == "expect_column_unique_value_count_to_be_between":
        return _whole(_one(connection, f"SELECT count(DISTINCT {column}) FROM {TABLE}"), arguments)
    if expectation.type == "expect_column_max_to_be_between":
        right = within(f"max({column})", arguments, kind)
        return _yes(_one(connection, f"SELECT coalesce({right}, FALSE) FROM {TABLE}"))
    return _mean(connection, column, kind, arguments)


def _unique(connection: duckdb.DuckDBPyConnection, columns: list[str], mostly: float) -> Counted:
    """Rows whose values another row has too. Rows without any value count for nothing; else an empty value is a
    value like another: two rows that are alike, empty cells and all, are the same row twice."""
    listed = ", ".join(columns)
    some = " OR ".join(f"{column} IS NOT NULL" for column in columns)
    tested, again = _row(connection, f"""
        SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (n > 1), 0)::BIGINT
        FROM (SELECT count(*) AS n FROM {TABLE} WHERE {some} GROUP BY {listed})
    """)  # fmt: skip
    return judged(tested, again, mostly)


def _mean(connection: duckdb.DuckDBPyConnection, column: str, kind: str, arguments: Arguments) -> Counted:
    """Exact for whole numbers of any size, and the share of yes for BOOLEAN."""
    limits = [v for v in (arguments.min_value, arguments.max_value) if v is not None]
    if kind not in ("BIGINT", "DOUBLE", "BOOLEAN") or not limits or any(isinstance(v, str) for v in limits):
        raise Unjudged("type")
    summed = {"BOOLEAN": f"count(*) FILTER (WHERE {column})", "DOUBLE": f"fsum({column})"}.get(
        kind, f"sum({column})"
    )
    total, n = _row(connection, f"SELECT {summed}, count({column}) FROM {TABLE}")
    if not n:
        return Counted(tested=1, unexpected=1, met=False)
    if not math.isfinite(total):
        raise Unjudged("not_finite")
    mean = Fraction(total) / n
    low, high = arguments.min_value, arguments.max_value
    return _yes((low is None or mean >= _fraction(low)) and (high is None or mean <= _fraction(high)))


def _fraction(limit: Limit) -> Fraction:
    return Fraction(limit) if isinstance(limit, int) else Fraction(Decimal(str(limit)))


def _whole(number: int, arguments: Arguments) -> Counted:
    low, high = arguments.min_value, arguments.max_value
    if (low is None and high is None) or isinstance(low, str) or isinstance(high, str):
        raise Unjudged("no_limits")
    return _yes((low is None or number >= low) and (high is None or number <= high))


def _yes(met: bool) -> Counted:
    return Counted(tested=1, unexpected=int(not met), met=met)


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return _row(connection, sql)[0]
