"""What keeps from an operation the values for which it would raise."""

from __future__ import annotations

from .errors import Refusal
from .tree import Call, Cast, ColumnRef, Constant, Expression, Operation
from .types import BIGINT, BOOLEAN, DATE, NULL, VARCHAR, Type
from .walking import walk

_FIRST, _LAST = "0001-01-01", "9999-12-31"
YEARS = 10_000
"""Of an interval: what is added to a day of the calendar stays within what a TIMESTAMP holds."""


def calendar(node: Expression) -> Expression:
    """A day or moment of the years 1 to 9999, else NULL."""
    last = _LAST if node.type == DATE else f"{_LAST} 23:59:59.999999"
    first, last_one = (Cast(node.type, Constant(VARCHAR, day)) for day in (_FIRST, last))
    return _between(node, first, last_one)


def _between(node: Expression, low: Expression, high: Expression) -> Operation:
    held = Operation(BOOLEAN, "between", (node, low, high))
    return Operation(node.type, "case", (held, node, Constant(NULL, "null")))


def within(node: Expression, low: int, high: int) -> Expression:
    return _between(node, *(Cast(BIGINT, Constant(BIGINT, str(end))) for end in (low, high)))


def fitting(node: Expression, wanted: Type) -> Expression:
    return node if node.type == wanted else Cast(wanted, node, forgiving=True)


def refused(node: Expression, use: str) -> Refusal:
    return Refusal("sql.private_function", *place(node), use=use)


def place(node: Expression) -> tuple[int | None, int | None]:
    placed = (n for n in walk(node) if isinstance(n, ColumnRef | Call) and n.at is not None)
    return next(((n.at, n.end) for n in placed), (None, None))
