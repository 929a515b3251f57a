"""dp mode: the nearest question that is answered, with the words of the one that was refused."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.job import TableSchema
from sandbox.plan.tree import Call, ColumnRef, Expression
from sandbox.plan.walking import walk

_ANSWERED = frozenset({"count", "sum", "avg", "stddev", "median", "var_samp", "variance"})
_ENDS = {"min": 0.01, "max": 0.99}
_OF_VALUES = frozenset({"mode", "count", "string_agg", "group_concat", "listagg", "list", "array_agg"})


def column_in(node: Expression) -> str:
    """The first column that an expression reads; x if it reads none."""
    return next((part.column for part in walk(node) if isinstance(part, ColumnRef)), "x")


def shape(table: TableSchema, node: Expression | None, *, sorted_too: bool = False) -> str:
    """A whole SELECT, of what stands in the refused expression. `sorted_too`: with groups in order, not chosen."""
    key = next((c.name for c in table.columns if c.values), "key")
    figures = ", ".join(dict.fromkeys(_figures(node, table))) if node is not None else ""
    tail = " ORDER BY 2 DESC LIMIT 20" if sorted_too else ""
    return f"SELECT {key}, {figures or 'count(*)'} FROM {table.name} WHERE … GROUP BY …{tail}"


def _figures(node: Expression, table: TableSchema) -> Iterator[str]:
    bounded = _bounded(table)
    for part in walk(node):
        if isinstance(part, Call) and part.kind == "aggregate" and part.name in _ANSWERED and not part.distinct:
            if not part.arguments:
                yield "count(*)"
            elif part.name == "count" or column_in(part) in bounded:
                yield f"{part.name}({column_in(part)})"
    if isinstance(node, ColumnRef) and node.column in bounded:
        yield f"avg({node.column})"


def aggregate(call: Call, table: TableSchema) -> str:
    """Beside an aggregate that dp mode has not."""
    column, bounded = column_in(call), _bounded(table)
    if call.name in _ENDS and column in bounded:
        return f"quantile_cont({column}, {_ENDS[call.name]})"
    if call.name in _OF_VALUES and column != "x":
        return f"SELECT {column}, count(*) FROM {table.name} GROUP BY {column} ORDER BY 2 DESC"
    if column not in bounded:
        column = next(iter(bounded), "x")
    return f"count(*), sum({column}), avg({column}), stddev({column}), median({column})"


def _bounded(table: TableSchema) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.bounds is not None)
