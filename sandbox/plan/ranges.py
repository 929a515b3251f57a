"""Between which whole numbers an expression's value lies, told from its form alone, never from data.

Of total forms (`total`): what is bounded there (days of a calendar, arguments of intervals) is taken as bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .tree import Call, Cast, ColumnRef, Constant, Expression, Operation
from .types import BOOLEAN

Range = tuple[int, int]
"""First and last value, NULL apart."""
BITS = {"INTEGER": 31, "BIGINT": 63, "HUGEINT": 127}
_TIME = (-(2**33), 2**33)
_PARTS = """
year quarter month week day dayofmonth dayofweek isodow dayofyear weekofyear weekday isoyear yearweek decade
century millennium era hour minute second millisecond microsecond
"""
_LENGTHS = "length char_length character_length strlen length_grapheme instr strpos position"
_CALLS: dict[str, Range] = {
    **dict.fromkeys(_PARTS.split(), _TIME), **dict.fromkeys(_LENGTHS.split(), (0, 2**32)),
    "sign": (-1, 1), "bit_count": (0, 128),
}  # fmt: skip
_DIFFERENCES = frozenset({"date_diff", "datediff", "date_sub", "datesub"})
_LONG = frozenset({"day", "days", "week", "weeks", "month", "months", "quarter", "year", "years", "decade"})
_UNITS = {"hour": 27, "minute": 33, "second": 39, "millisecond": 49, "microsecond": 59}
"""Bits of how many lie between two days of the calendar; of longer units there are fewer."""
_CHOOSE = frozenset({"greatest", "least", "ifnull", "coalesce"})
_DAYS = (-(2**24), 2**24)


def range_of(node: Expression, known: Mapping[Expression, Range]) -> Range:
    """Of a whole number; `known`: what is told of some expressions otherwise."""
    if node.type == BOOLEAN:
        return 0, 1
    held = _held(node.type.kind)
    low, high = known.get(node) or _found(node, known) or held
    return max(low, held[0]), min(high, held[1])


def fits(node: Operation, known: Mapping[Expression, Range]) -> bool:
    """Whether + - * and `negative` of whole numbers, and those that it is made of, never leave their type."""
    low, high = _held(node.type.kind)
    first, last = _calculated(node, known)
    inner = (operand for operand in node.operands if is_whole_arithmetic(operand))
    return (
        low <= first and last <= high and all(fits(each, known) for each in inner if isinstance(each, Operation))
    )


def is_whole_arithmetic(node: Expression) -> bool:
    """+ - * and `negative` over whole numbers of up to 64 bits."""
    return (
        isinstance(node, Operation)
        and node.symbol in {"+", "-", "*", "negative"}
        and node.type.kind in {"INTEGER", "BIGINT"}
        and all(operand.type.kind in {"INTEGER", "BIGINT"} for operand in node.operands)
    )


def _held(kind: str) -> Range:
    bits = BITS.get(kind, BITS["HUGEINT"])
    return -(2**bits), 2**bits - 1


def _found(node: Expression, known: Mapping[Expression, Range]) -> Range | None:
    match node:
        case Constant() if node.type.is_integer:
            return int(node.value), int(node.value)
        case Cast(operand=operand) if operand.type.is_integer or operand.type == BOOLEAN:
            return range_of(operand, known)
        case Operation():
            return _of_operation(node, known)
        case Call():
            return _of_call(node, known)
    return None


def _of_operation(node: Operation, known: Mapping[Expression, Range]) -> Range | None:
    if is_whole_arithmetic(node):
        return _calculated(node, known)
    match node.symbol:
        case "case":
            return _union([*node.operands[1::2], node.operands[-1]], known)
        case "coalesce":
            return _union(node.operands, known)
        case "//" | "%" if all(operand.type.is_integer for operand in node.operands):
            return _divided(node, known)
        case "-" if node.operands[0].type.kind == "DATE" and node.type.is_integer:
            return _DAYS
    return None


def _of_call(node: Call, known: Mapping[Expression, Range]) -> Range | None:
    if node.name in _CHOOSE:
        return _union(node.arguments, known)
    if node.name in {"if", "abs"} and node.type.is_integer:
        first, last = _union(node.arguments[node.name == "if" :], known)
        return (first, last) if node.name == "if" else (0, max(abs(first), abs(last)))
    part = node.arguments[0] if node.arguments else None
    if node.name in _DIFFERENCES and isinstance(part, Constant):
        bits = _UNITS.get(part.value.lower().removesuffix("s"), 59 if part.value.lower() not in _LONG else 24)
        return -(2**bits), 2**bits
    if node.name in {"date_part", "datepart"} and isinstance(part, Constant):
        return _CALLS.get(part.value.lower())
    return _CALLS.get(node.name)


def _union(nodes: Iterable[Expression], known: Mapping[Expression, Range]) -> Range:
    ranges = [range_of(node, known) for node in nodes if node.type.kind != "NULL"] or [(0, 0)]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _calculated(node: Operation, known: Mapping[Expression, Range]) -> Range:
    a, b = range_of(node.operands[0], known), range_of(node.operands[-1], known)
    match node.symbol:
        case "+":
            return a[0] + b[0], a[1] + b[1]
        case "-":
            return a[0] - b[1], a[1] - b[0]
        case "*":
            products = [x * y for x in a for y in b]
            return min(products), max(products)
    return -a[1], -a[0]


def _divided(node: Operation, known: Mapping[Expression, Range]) -> Range:
    """A quotient is cut, not rounded down; a remainder is smaller than the divisor, and no larger than what is
    divided."""
    (low, high), (first, last) = (range_of(operand, known) for operand in node.operands)
    most, divisor = max(abs(low), abs(high)), max(abs(first), abs(last))
    if node.symbol == "//":
        least = first if first > 0 else -last if last < 0 else 1
        most //= least
    else:
        most = min(most, max(divisor - 1, 0))
    return (0 if low >= 0 and (node.symbol == "%" or first > 0) else -most), most


def columns_of(node: Expression) -> tuple[ColumnRef, ...]:
    """The columns that stand directly in an arithmetic, each once."""
    if isinstance(node, ColumnRef):
        return (node,)
    if not isinstance(node, Operation) or not is_whole_arithmetic(node):
        return ()
    return tuple(dict.fromkeys(column for operand in node.operands for column in columns_of(operand)))
