"""Total forms: an expression over one row that never raises, so that neither an error nor its time tells of a row.

What would raise is NULL by itself, never through TRY(…): the engine goes again over the 2,048 rows of a vector in
which one raises. Whole numbers that might overflow (`whole`) are reckoned in a wider type and brought back by
TRY_CAST, a divisor of zero is NULL, and what has no wider type gets only what it can take: days of a calendar,
intervals, counts of characters.
"""

from __future__ import annotations

from .bounded import YEARS, place
from .errors import Refusal
from .functions import FUNCTIONS
from .guarded import A_YEAR, GUARDS, of_one_type
from .limits import NODES
from .ranges import is_whole_arithmetic
from .reckoning import operation
from .tree import Call, Cast, Constant, Expression, Operation, QueryTest
from .types import NULL
from .walking import children, with_children
from .whole import arithmetic


def total(node: Expression) -> Expression:
    """The same value where there is one, NULL where it, or a part that it needs, would raise (and for the ends of
    what a type holds: days outside the years 1 to 9999, intervals of more than 10,000, offsets beyond 2^31).

    Refusal of what has no such form: aggregates, queries, patterns that may end in their escape, arithmetic on
    HUGEINT and beyond 38 digits, functions that `functions` says so of, and what grows too long by its guards.
    """
    found = _total(node)
    if _size(found, {}) > NODES:
        raise Refusal("sql.too_many_terms", *place(node), limit=NODES)
    return found


def _size(node: Expression, known: dict[int, int]) -> int:
    """Terms when it is written; what a guard holds twice is counted twice and looked at once."""
    if id(node) not in known:
        known[id(node)] = 1 + sum(_size(child, known) for child in children(node))
    return known[id(node)]


def _total(node: Expression) -> Expression:
    if isinstance(node, Operation) and is_whole_arithmetic(node):
        return arithmetic(node, _total)
    node = with_children(node, _total)
    match node:
        case QueryTest():
            raise Refusal("sql.not_supported", form="SELECT", use="JOIN … ON …")
        case Cast(operand=Constant()) if node.type.kind == "INTERVAL":
            return _interval(node)
        case Cast():
            return Cast(node.type, node.operand, forgiving=True)
        case Call():
            return _call(node)
        case Operation():
            return operation(node)
    return node


def _interval(node: Cast) -> Cast:
    assert isinstance(node.operand, Constant)
    amount, unit = node.operand.value.split()
    held = abs(int(amount)) <= YEARS * A_YEAR[unit]
    return node if held else Cast(node.type, Constant(NULL, "null"))


def _call(node: Call) -> Expression:
    function = FUNCTIONS[node.name]
    if function.total == "none":
        raise Refusal("sql.not_supported", node.at, node.end, form=node.name, use="concat")
    if guard := GUARDS.get(node.name):
        return guard(node)
    return of_one_type(node) if "T" in function.arguments else node
