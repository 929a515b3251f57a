"""SELECT DISTINCT ON (…): of the rows alike in some values the first by ORDER BY, as QUALIFY can say too."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from .context import Context
from .dialect import place
from .errors import Refusal
from .expressions import read
from .scope import Scope
from .tree import Call, Constant, Expression, Operation, Select, Sort, Window
from .types import BIGINT, BOOLEAN
from .walking import walk

_USE = "QUALIFY row_number() OVER (PARTITION BY … ORDER BY …) = 1"


def is_on(node: exp.Expression | None) -> bool:
    """Whether a DISTINCT names what must be distinct."""
    return node is not None and node.args.get("on") is not None


def distinct_on(select: Select, node: exp.Expression, scope: Scope, context: Context) -> Select:
    """The SELECT that keeps the first of each. Refusal without an ORDER BY that says which one is first."""
    on = node.args["on"]
    with scope.clause(aggregates=True, windows=False):
        keys = tuple(read(one, scope, context) for one in (on.expressions if isinstance(on, exp.Tuple) else [on]))
    order = tuple(Sort(_of(select, e), descending, first) for e, descending, first in select.tail.order)
    if select.qualify is not None or any(_is_window(sort.expression) for sort in order):
        raise Refusal("sql.not_supported", *place(node), form="DISTINCT ON", use=_USE)
    if not order:
        raise Refusal("sql.nondeterministic", *place(node), use="DISTINCT ON (…) … ORDER BY …")
    number = Call(BIGINT, "row_number", "window", (), window=Window(keys, order))
    return replace(select, qualify=Operation(BOOLEAN, "=", (number, Constant(BIGINT, "1"))))


def _of(select: Select, key: int | Expression) -> Expression:
    return select.items[key - 1].expression if isinstance(key, int) else key


def _is_window(node: Expression) -> bool:
    return any(isinstance(inner, Call) and inner.window is not None for inner in walk(node))
