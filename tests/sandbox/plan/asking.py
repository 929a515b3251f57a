"""Asks a question twice: our rendered SQL, and plain DuckDB with the analyst's text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from sandbox.job import TableSchema
from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import Plan, plan_query
from sandbox.plan.render import Writer, render

Rows = list[tuple[Any, ...]]
_SMALL = {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", '"NULL"', "BIGINT"}


@dataclass(frozen=True)
class World:
    connection: duckdb.DuckDBPyConnection
    tables: Sequence[TableSchema]
    sources: Mapping[str, Sequence[str]]

    def plan(self, sql: str) -> Plan:
        return plan_query(sql, self.tables)

    def ours(self, sql: str) -> Rows:
        """The answer through the plan, after its columns were compared with what the plan promised."""
        plan = self.plan(sql)
        answer = self.connection.sql(render(plan, self.sources))
        assert [str(t) for t in answer.types] == [c.type for c in plan.output]
        assert answer.columns == [c.name for c in plan.output]
        return answer.fetchall()

    def plain(self, sql: str) -> Rows:
        return self.connection.sql(sql).fetchall()

    def engine_types(self, sql: str) -> list[str]:
        """The types that DuckDB itself gives to what we render, before our casts."""
        inner = Writer(self.sources).query(self.plan(sql).tree)
        return [returned_as(str(t)) for t in self.connection.sql(inner).types]

    def refusal(self, sql: str) -> SqlRefused:
        try:
            self.plan(sql)
        except SqlRefused as refused:
            return refused
        raise AssertionError(f"was accepted: {sql}")


def returned_as(name: str) -> str:
    """The type in which we return a DuckDB type."""
    if name.endswith("[]"):
        return returned_as(name[:-2]) + "[]"
    if name in _SMALL:
        return "BIGINT"
    return "DECIMAL(38,0)" if name == "HUGEINT" else name


def comparable(value: Any) -> Any:
    """Values that are equal although DuckDB returns them in another type compare equal."""
    if isinstance(value, list):
        return [comparable(v) for v in value]
    if isinstance(value, Decimal | float) and not isinstance(value, bool):
        number = float(value)
        return "nan" if math.isnan(number) else round(number, 9) + 0.0
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def same(ours: Rows, plain: Rows, *, ordered: bool = False) -> bool:
    """Whether both are the same rows (in the same order if `ordered`)."""
    left, right = ([tuple(comparable(v) for v in row) for row in rows] for rows in (ours, plain))
    return left == right if ordered else sorted(left, key=repr) == sorted(right, key=repr)
