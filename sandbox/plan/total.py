"""Total forms: an expression over one row that never raises, so that whether it raised tells nothing (dp mode).

A cast that does not fit becomes TRY_CAST. If arithmetic that overflows or divides by zero, or a call that refuses
its arguments, stands anywhere in the expression, the whole stands in one TRY(…) and is NULL where any part raises.
Never one in another: the engine goes again over the 2,048 rows of a vector in which one raises: they multiply.
"""

from __future__ import annotations

from .errors import Refusal
from .functions import FUNCTIONS
from .tree import Call, Cast, Expression, Operation, QueryTest
from .types import BOOLEAN, DOUBLE, NULL
from .walking import walk, with_children

HOISTS = "common_subexpressions"
"""The optimizer that is off where TRY stands (`worker.query`): it takes what stands twice out of every TRY."""
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "**", "&", "|", "<<", ">>", "negative"})
_FLOATING = frozenset({"+", "-", "*", "/", "negative"})


def total(node: Expression) -> Expression:
    """The same value where there is one, NULL where any part of it would raise.

    Refusal of what has no such form: aggregates, queries, lpad.
    """
    parts = tuple(walk(node))
    for part in parts:
        if isinstance(part, QueryTest):
            raise Refusal("sql.not_supported", form="SELECT", use="JOIN … ON …")
        if isinstance(part, Call) and FUNCTIONS[part.name].total == "none":
            raise Refusal("sql.not_supported", part.at, part.end, form=part.name, use="concat")
    lenient = _forgiving(node)
    return Operation(node.type, "try", (lenient,)) if any(map(_raises, parts)) else lenient


def _forgiving(node: Expression) -> Expression:
    """With every cast one that gives NULL for what does not fit."""
    node = with_children(node, _forgiving)
    return Cast(node.type, node.operand, forgiving=True) if isinstance(node, Cast) else node


def _raises(node: Expression) -> bool:
    """Whether it can fail by itself, casts apart."""
    match node:
        case Operation():
            arithmetic = node.symbol in _ARITHMETIC and not _real(node)
            return arithmetic or _mixed(node.operands)
        case Call():
            return FUNCTIONS[node.name].total == "try" or _mixed(node.arguments)
    return False


def _real(node: Operation) -> bool:
    """Whether it is reckoned in floating point, which overflows to infinity and divides by zero."""
    return node.type == DOUBLE and node.symbol in _FLOATING


def _mixed(operands: tuple[Expression, ...]) -> bool:
    """Whether the engine would cast some of them to what may not hold them (a DATE beside a TIMESTAMP)."""
    types = {operand.type for operand in operands} - {NULL, BOOLEAN}
    return len(types) > 1 and not all(one.is_integer or one == DOUBLE for one in types)
