"""Functions over one row in forms that never raise."""

from __future__ import annotations

from collections.abc import Callable

from .bounded import YEARS, calendar, fitting, refused, within
from .ranges import BITS, range_of
from .reckoning import WIDER, alike, reckoned
from .tree import Call, Cast, Constant, Expression, Operation
from .types import BIGINT, BOOLEAN, DATE, DOUBLE, HUGEINT, INTEGER, MAX_WIDTH, NULL, VARCHAR, decimal

A_YEAR = {
    "YEAR": 1, "QUARTER": 4, "MONTH": 12, "WEEK": 53, "DAY": 366, "HOUR": 8_784, "MINUTE": 527_040,
    "SECOND": 31_622_400,
}  # fmt: skip


def _with(node: Call, *arguments: Expression, name: str = "") -> Call:
    return Call(node.type, name or node.name, "scalar", arguments, at=node.at, end=node.end)


def of_one_type(node: Call) -> Expression:
    """A call whose arguments have to fit together."""
    if node.name != "nullif":
        return _with(node, *alike(Operation(node.type, node.name, node.arguments)).operands)
    both = alike(Operation(BOOLEAN, "=", node.arguments))
    return Operation(node.type, "case", (both, Constant(NULL, "null"), node.arguments[0]))


def _in_calendar(node: Call) -> Expression:
    return _with(node, *(calendar(a) if a.type.kind in {"DATE", "TIMESTAMP"} else a for a in node.arguments))


def _up_to(most: int, least: int | None = None) -> Callable[[Call], Expression]:
    low = -most if least is None else least
    return lambda node: _with(node, *(within(a, low, most) for a in node.arguments))


def _units(unit: str, of_it: int = 1, parts: int = 1) -> Callable[[Call], Expression]:
    """An interval of `of_it` units, or of `parts` in a unit, each."""
    return _up_to(YEARS * A_YEAR[unit] * parts // of_it)


def _in_wider(node: Call) -> Expression:
    """abs, gcd, lcm: of 64 bits in 128."""
    if node.type.kind not in WIDER:
        if node.type == HUGEINT:
            raise refused(node, "CAST(x AS DOUBLE)")
        return node
    if node.name == "abs" and range_of(node.arguments[0], {})[0] > -(2 ** BITS[node.type.kind]):
        return node
    wider = WIDER[node.type.kind]
    found = Call(wider, node.name, "scalar", tuple(Cast(wider, a) for a in node.arguments))
    return Cast(node.type, found, forgiving=True)


def _modulo(node: Call) -> Expression:
    return reckoned(Operation(node.type, "%", node.arguments))


def _rounded(node: Call) -> Expression:
    """To tens, hundreds and so on a number may grow by a digit that its type has no room for."""
    value, *digits = node.arguments
    known = digits[0].operand if digits and isinstance(digits[0], Cast) else digits[0] if digits else None
    if known is None or (isinstance(known, Constant) and not known.value.startswith("-")) or node.type == DOUBLE:
        return node
    if node.name == "trunc":
        return node
    if value.type.kind == "DECIMAL":
        if value.type.width == MAX_WIDTH:
            raise refused(node, "CAST(x AS DOUBLE)")
        wide = decimal(MAX_WIDTH, value.type.scale)
        return Cast(node.type, Call(wide, node.name, "scalar", (Cast(wide, value), *digits)), forgiving=True)
    if value.type == HUGEINT:
        raise refused(node, "CAST(x AS DOUBLE)")
    wide_value = within(Cast(BIGINT, value), -(2**62), 2**62)
    return Cast(node.type, Call(BIGINT, node.name, "scalar", (wide_value, *digits)), forgiving=True)


def _characters(node: Call) -> Expression:
    text, *counts = node.arguments
    return _with(node, text, *(fitting(count, INTEGER) for count in counts))


def _date_made(node: Call) -> Expression:
    """Read from its text, where a day that is none is NULL."""
    text: Expression = Cast(VARCHAR, node.arguments[0])
    for part in node.arguments[1:]:
        for more in (Constant(VARCHAR, "-"), Cast(VARCHAR, part)):
            text = Operation(VARCHAR, "||", (text, more))
    return Cast(DATE, text, forgiving=True)


_OF_DAYS = """
age date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc epoch_ms epoch_us isoyear
last_day time_bucket week weekofyear yearweek
"""
GUARDS: dict[str, Callable[[Call], Expression]] = {
    **dict.fromkeys(_OF_DAYS.split(), _in_calendar),
    **dict.fromkeys(("abs", "gcd", "greatest_common_divisor", "lcm", "least_common_multiple"), _in_wider),
    **dict.fromkeys(("left", "substr", "substring"), _characters),
    **dict.fromkeys(("round", "trunc"), _rounded),
    "mod": _modulo, "factorial": _up_to(33, 0), "make_date": _date_made,
    "make_timestamp_ms": _up_to(253_402_300_799_999, -62_135_596_800_000),
    "strptime": lambda node: _with(node, *node.arguments, name="try_strptime"),
    "to_years": _units("YEAR"), "to_decades": _units("YEAR", 10), "to_quarters": _units("QUARTER"),
    "to_months": _units("MONTH"), "to_weeks": _units("WEEK"), "to_days": _units("DAY"),
    "to_hours": _units("HOUR"), "to_minutes": _units("MINUTE"), "to_seconds": _units("SECOND"),
    "to_milliseconds": _units("SECOND", parts=1_000), "to_microseconds": _units("SECOND", parts=1_000_000),
}  # fmt: skip
