"""Total forms: an expression over one row that never raises, so that whether it raised tells nothing (dp mode).

What would raise is NULL: a cast that does not fit becomes TRY_CAST, arithmetic that overflows or divides by zero
and calls that refuse their arguments stand in TRY(…), row by row.
"""

from __future__ import annotations

from .errors import Refusal
from .functions import FUNCTIONS
from .tree import Call, Cast, Expression, Operation, QueryTest
from .types import BOOLEAN, NULL
from .walking import with_children

HOISTS = "common_subexpressions"
"""The optimizer that is off where TRY stands (`worker.query`): it takes what stands twice out of every TRY."""
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "**", "&", "|", "<<", ">>", "negative"})


def total(node: Expression) -> Expression:
    """The same value where there is one, NULL elsewhere.

    Refusal of what has no such form: aggregates, queries, lpad.
    """
    if isinstance(node, QueryTest):
        raise Refusal("sql.not_supported", form="SELECT", use="JOIN … ON …")
    if isinstance(node, Call) and FUNCTIONS[node.name].total == "none":
        raise Refusal("sql.not_supported", node.at, node.end, form=node.name, use="concat")
    node = with_children(node, total)
    match node:
        case Cast():
            return Cast(node.type, node.operand, forgiving=True)
        case Operation() if node.symbol in _ARITHMETIC or _mixed(node.operands):
            return Operation(node.type, "try", (node,))
        case Call() if FUNCTIONS[node.name].total == "try" or _mixed(node.arguments):
            return Operation(node.type, "try", (node,))
    return node


def _mixed(operands: tuple[Expression, ...]) -> bool:
    """Whether the engine would cast some of them, which may not fit (a DATE beside a TIMESTAMP)."""
    return len({operand.type for operand in operands} - {NULL, BOOLEAN}) > 1
