"""Operators over one row in forms that never raise."""

from __future__ import annotations

from .bounded import YEARS, calendar, fitting, refused, within
from .tree import Call, Cast, Constant, Expression, Operation
from .types import BIGINT, BOOLEAN, DOUBLE, HUGEINT, INTEGER, MAX_WIDTH, NULL, as_decimal, decimal, unify

WIDER = {"INTEGER": BIGINT, "BIGINT": HUGEINT}
_ADDS = frozenset({"+", "-", "*"})
_DIVIDES = frozenset({"//", "%", "/", "**"})
_BEYOND_INT64 = 19
"""From this width on the engine reckons a DECIMAL in 38 digits."""


def operation(node: Operation) -> Expression:
    kinds = {operand.type.kind for operand in node.operands}
    if node.type.kind == "INTERVAL":
        raise refused(node, "date_diff('day', a, b)")
    if node.symbol in {*_ADDS, *_DIVIDES, "negative"}:
        return _timed(node) if kinds & {"DATE", "TIMESTAMP"} else reckoned(node)
    if node.symbol == "<<":
        return _shifted(node)
    if node.symbol in {"like escape", "ilike escape"}:
        return _escaped(node)
    return alike(node)


def _timed(node: Operation) -> Operation:
    """Days and moments, with what is added to them; `with_children` has bounded the intervals."""

    def bounded(operand: Expression) -> Expression:
        if operand.type.kind in {"DATE", "TIMESTAMP"}:
            return calendar(operand)
        return within(operand, -YEARS * 366, YEARS * 366) if operand.type.is_integer else operand

    return Operation(node.type, node.symbol, tuple(map(bounded, node.operands)))


def reckoned(node: Operation) -> Expression:
    """Arithmetic on numbers."""
    operands = node.operands
    if node.symbol == "//" or (node.symbol == "%" and DOUBLE not in {operand.type for operand in operands}):
        operands = (operands[0], _not_zero(operands[1]))
    if node.type == DOUBLE:
        return Operation(node.type, node.symbol, operands)  # infinite or not a number where it overflows
    if any(operand.type == HUGEINT for operand in operands) or node.type == HUGEINT:
        raise refused(node, "CAST(x AS DOUBLE)")
    if node.symbol in {"//", "%"} and _divides_all(operands[1]) and node.type.is_integer:
        return Operation(node.type, node.symbol, operands)  # several times faster than in a wider type
    if wider := WIDER.get(node.type.kind):
        found = Operation(wider, node.symbol, tuple(Cast(wider, operand) for operand in operands))
        return Cast(node.type, found, forgiving=True)
    return _decimal(Operation(node.type, node.symbol, operands))


def _divides_all(divisor: Expression) -> bool:
    """Whether it is a constant by which every whole number can be divided: -1 overflows for the least one."""
    return isinstance(divisor, Constant) and float(divisor.value) not in {0.0, -1.0}


def _not_zero(divisor: Expression) -> Expression:
    if isinstance(divisor, Constant) and divisor.type.is_number and float(divisor.value):
        return divisor
    zero = Cast(divisor.type, Constant(INTEGER, "0"))
    return Call(divisor.type, "nullif", "scalar", (divisor, zero))


def _decimal(node: Operation) -> Expression:
    """In more than 18 digits, where the engine looks for no overflow; Refusal if it may need more than 38."""
    if node.symbol not in _ADDS:
        operands = node.operands if node.symbol == "negative" else tuple(
            fitting(operand, node.type) for operand in node.operands
        )  # fmt: skip
        return Operation(node.type, node.symbol, operands)
    left, right = (as_decimal(operand.type) for operand in node.operands)
    wide = decimal(max(left.width, _BEYOND_INT64), left.scale)
    if node.symbol == "*":
        digits, scale = wide.width + right.width, left.scale + right.scale
    else:
        scale = max(left.scale, right.scale)
        digits = max(wide.width - wide.scale, right.width - right.scale) + scale + 1
    if digits > MAX_WIDTH:
        raise refused(node, "CAST(x AS DOUBLE)")
    operands = (Cast(wide, node.operands[0]), node.operands[1])
    return Cast(node.type, Operation(decimal(digits, scale), node.symbol, operands), forgiving=True)


def _shifted(node: Operation) -> Expression:
    """a << b as a times a power of two: in 128 bits it overflows for none of them."""
    value, by = node.operands
    two = Cast(DOUBLE, Constant(DOUBLE, "2e0"))
    power = Call(DOUBLE, "pow", "scalar", (two, Cast(DOUBLE, within(by, 0, 62))))
    found = Operation(HUGEINT, "*", (Cast(HUGEINT, within(value, 0, 2**63 - 1)), Cast(HUGEINT, power)))
    return Cast(node.type, found, forgiving=True)


def _escaped(node: Operation) -> Operation:
    """The engine fails where a text reaches an escape at the end of a pattern: the pattern must be known."""
    _, pattern, escape = node.operands
    if not isinstance(pattern, Constant) or not isinstance(escape, Constant):
        raise refused(node, "x LIKE 'a%'")
    if (len(pattern.value) - len(pattern.value.rstrip(escape.value))) % 2:
        raise refused(node, "x LIKE 'a%'")
    return node


def alike(node: Operation) -> Operation:
    """With operands of one type where the engine would cast some to what may not hold them."""
    types = [operand.type for operand in node.operands if operand.type not in {NULL, BOOLEAN}]
    if all(one.is_integer or one == DOUBLE for one in types):
        return node
    wanted = types[0]
    for one in types[1:]:
        wanted = unify(wanted, one) or wanted
    if node.type == BOOLEAN and wanted.kind == "DECIMAL":
        # The engine compares with all decimals there are; what leaves no room for them is NULL.
        wanted = decimal(wanted.width, max(as_decimal(one).scale for one in types))
    operands = (o if o.type in {NULL, BOOLEAN} else fitting(o, wanted) for o in node.operands)
    return Operation(node.type, node.symbol, tuple(operands))
