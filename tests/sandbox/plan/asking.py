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
    """Values that are equal although DuckDB returns them in another type become the same."""
    if isinstance(value, list):
        return [comparable(v) for v in value]
    if isinstance(value, Decimal | float | int) and not isinstance(value, bool):
        return float(value) + 0.0
    return value


def _close(left: Any, right: Any) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_close(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, float) and isinstance(right, float):
        # Sums over cohorts add up in another order than sums over persons.
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(left) and math.isnan(right))
    return type(left) is type(right) and bool(left == right)


def _rounded(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else repr(value)


def same(ours: Rows, plain: Rows, *, ordered: bool = False) -> bool:
    """Whether both are the same rows (in the same order if `ordered`)."""
    left, right = ([[comparable(v) for v in row] for row in rows] for rows in (ours, plain))
    if not ordered:
        left.sort(key=lambda row: [_rounded(v) for v in row])
        right.sort(key=lambda row: [_rounded(v) for v in row])
    return _close(left, right)
