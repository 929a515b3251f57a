"""VALUES (…), (…): rows of constants as a query."""

from __future__ import annotations

from sqlglot import exp

from .arithmetic import alike
from .context import Context
from .dialect import place
from .errors import Refusal
from .expressions import read
from .limits import IN_LIST
from .scope import Scope
from .tree import Expression, Item, Query, Select, SetOperation
from .types import Type, unify


def read_values(node: exp.Values, context: Context) -> Query:
    """The rows as SELECTs put together by UNION ALL, their columns named col0, col1, … as DuckDB names them."""
    if len(node.expressions) > IN_LIST:
        raise Refusal("sql.list_too_long", *place(node.expressions[IN_LIST]), limit=IN_LIST)
    rows = [_row(one, context) for one in node.expressions]
    for row, one in zip(rows, node.expressions, strict=True):
        if len(row) != len(rows[0]):
            raise Refusal("sql.column_count", *place(one), expected=len(rows[0]), found=len(row))
    columns = [alike(column, place(node))[0] for column in zip(*rows, strict=True)]
    return _together([_select(row) for row in zip(*columns, strict=True)])


def _row(node: exp.Expression, context: Context) -> tuple[Expression, ...]:
    given = node.expressions if isinstance(node, exp.Tuple) else [node]
    return tuple(read(one, Scope(), context) for one in given)


def _select(row: tuple[Expression, ...]) -> Select:
    return Select(tuple(Item(f"col{i}", expression) for i, expression in enumerate(row)), None)


def _together(rows: list[Query]) -> Query:
    # Halves: a chain would be as deep as there are rows.
    if len(rows) == 1:
        return rows[0]
    left, right = _together(rows[: len(rows) // 2]), _together(rows[len(rows) // 2 :])
    columns = tuple((name, _both(a, b)) for (name, a), (_, b) in zip(left.columns, right.columns, strict=True))
    return SetOperation("UNION", True, left, right, columns)


def _both(left: Type, right: Type) -> Type:
    return unify(left, right) or left
