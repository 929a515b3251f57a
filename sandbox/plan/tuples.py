"""(a, b) = (c, d), (a, b) IN (…): several values at a time, as DuckDB compares them (NULL like a value)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from .arithmetic import alike
from .context import Context
from .dialect import place
from .errors import Refusal
from .limits import IN_LIST
from .scope import Scope
from .tree import Cast, Constant, Expression, Operation, QueryTest
from .types import BOOLEAN, NULL

Row = tuple[Expression, ...]
ReadOne = Callable[[exp.Expression], Expression]


def _row(node: exp.Expression, width: int, read_one: ReadOne) -> Row:
    found = node.expressions if isinstance(node, exp.Tuple) else [node]
    if len(found) != width:
        raise Refusal("sql.column_count", *place(node), expected=width, found=len(found))
    return tuple(read_one(one) for one in found)


def _fitted(rows: Sequence[Row], node: exp.Expression) -> tuple[Operation, ...]:
    here = place(node)  # which walks all of them
    columns = [alike(column, here)[0] for column in zip(*rows, strict=True)]
    return tuple(Operation(NULL, "row", row) for row in zip(*columns, strict=True))


def compared_rows(symbol: str, node: exp.Expression, read_one: ReadOne) -> Expression:
    """(a, b) <symbol> (c, d)."""
    width = max(len(side.expressions) for side in (node.this, node.expression) if isinstance(side, exp.Tuple))
    rows = [_row(side, width, read_one) for side in (node.this, node.expression)]
    return Operation(BOOLEAN, symbol, _fitted(rows, node))


def row_in(node: exp.Expression, read_one: ReadOne, scope: Scope, context: Context) -> Expression:
    """(a, b) IN ((1, 2), …) or (a, b) IN (SELECT …)."""
    width = len(node.this.expressions)
    operand = _row(node.this, width, read_one)
    if (query := node.args.get("query")) is not None:
        inner = context.read_query(query, scope, context)
        if len(inner.columns) != width:
            raise Refusal("sql.column_count", *place(node), expected=width, found=len(inner.columns))
        samples = tuple(Cast(kind, Constant(NULL, "null")) for _, kind in inner.columns)
        return QueryTest(BOOLEAN, "in", inner, _fitted([operand, samples], node)[0])
    if len(node.expressions) > IN_LIST:
        raise Refusal("sql.list_too_long", *place(node.expressions[IN_LIST]), limit=IN_LIST)
    rows = [operand, *(_row(one, width, read_one) for one in node.expressions)]
    return Operation(BOOLEAN, "in", _fitted(rows, node))
