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
from .tree import Cast, Expression, Values
from .types import Type


def read_values(node: exp.Values, context: Context) -> Values:
    """The rows, their columns named col0, col1, … as DuckDB names them, each value of its column's type."""
    if len(node.expressions) > IN_LIST:
        raise Refusal("sql.list_too_long", *place(node.expressions[IN_LIST]), limit=IN_LIST)
    rows = [_row(one, context) for one in node.expressions]
    for row, one in zip(rows, node.expressions, strict=True):
        if len(row) != len(rows[0]):
            raise Refusal("sql.column_count", *place(one), expected=len(rows[0]), found=len(row))
    here = place(node)  # which walks all of them
    columns = [alike(column, here) for column in zip(*rows, strict=True)]
    fitted = zip(*(tuple(_cast(one, kind) for one in column) for column, kind in columns), strict=True)
    return Values(tuple(fitted), tuple((f"col{i}", kind) for i, (_, kind) in enumerate(columns)))


def _row(node: exp.Expression, context: Context) -> tuple[Expression, ...]:
    given = node.expressions if isinstance(node, exp.Tuple) else [node]
    return tuple(read(one, Scope(), context) for one in given)


def _cast(node: Expression, wanted: Type) -> Expression:
    return node if node.type == wanted or wanted.kind == "NULL" else Cast(wanted, node)
