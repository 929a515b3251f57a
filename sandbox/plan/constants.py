"""Constants and names of types, from sqlglot's nodes to our own."""

from __future__ import annotations

import re
from math import isfinite

from sqlglot import exp

from .context import Context
from .dialect import place
from .errors import Refusal
from .scope import Scope
from .tree import Cast, Constant, Expression
from .types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    HUGEINT,
    INTEGER,
    INTERVAL,
    NULL,
    TIMESTAMP,
    VARCHAR,
    Type,
    decimal,
    list_of,
)

_INTERVAL_UNITS = frozenset({"SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})
_SIMPLE_TYPES = {
    "BOOLEAN": BOOLEAN, "INT": INTEGER, "BIGINT": BIGINT, "INT128": HUGEINT, "DOUBLE": DOUBLE, "TEXT": VARCHAR,
    "VARCHAR": VARCHAR, "DATE": DATE, "TIMESTAMP": TIMESTAMP, "TIMESTAMPNTZ": TIMESTAMP,
}  # fmt: skip
_TYPE_INSTEAD = {
    "FLOAT64": "DOUBLE", "UNSIGNED": "BIGINT", "NUMBER": "DECIMAL(18,3)",
    "FLOAT": "DOUBLE", "SMALLINT": "BIGINT", "TINYINT": "BIGINT", "TIMESTAMPTZ": "TIMESTAMP", "CHAR": "VARCHAR",
    "DECIMAL": "DECIMAL(38,2)", "UBIGINT": "BIGINT", "UINT": "BIGINT", "DATETIME": "TIMESTAMP",
}  # fmt: skip
_NUMBER = re.compile(r"(\d*)(?:(\.)(\d*))?([eE][+-]?\d+)?")


def _double(clean: str) -> Constant:
    """Raises ValueError for what the engine would take as infinity."""
    if not isfinite(float(clean)):
        raise ValueError(clean)
    return Constant(DOUBLE, clean)


def _number(text: str) -> Constant:
    clean = text.replace("_", "")
    match = _NUMBER.fullmatch(clean)
    if match is None:
        raise ValueError(text)
    whole, point, fraction, exponent = match.groups()
    if exponent:
        return _double(clean)
    if point:
        digits = len(whole) + len(fraction)
        return Constant(decimal(digits, len(fraction)), clean) if digits <= 38 else _double(clean)
    value = int(whole)
    for kind, bits in ((INTEGER, 31), (BIGINT, 63), (HUGEINT, 127)):
        if value < 2**bits:
            return Constant(kind, clean)
    return _double(clean)


def read_literal(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    context.grow(None, None)
    if node.args.get("is_string"):
        if "\x00" in node.name:
            raise Refusal("sql.syntax", *place(node))
        return Constant(VARCHAR, node.name)
    try:
        return _number(node.name)
    except ValueError as error:
        raise Refusal("sql.syntax", *place(node)) from error


def read_boolean(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    context.grow(None, None)
    return Constant(BOOLEAN, "true" if node.this else "false")


def read_null(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    context.grow(None, None)
    return Constant(NULL, "null")


def read_type(node: exp.Expression, inside: exp.Expression) -> Type:
    named = node.args.get("kind")  # a type that sqlglot does not know
    kind = str(named).upper() if named else getattr(node.this, "value", str(node.this))
    if kind == "DECIMAL":
        sizes = [int(size.name) for size in node.expressions if size.name.isdigit()] or [18, 3]
        width, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
        if 1 <= width <= 38 and scale <= width:
            return decimal(width, scale)
    if kind in {"ARRAY", "LIST"} and len(node.expressions) == 1 and not node.args.get("values"):
        return list_of(read_type(node.expressions[0], inside))
    found = _SIMPLE_TYPES.get(kind)
    if found is None:
        raise Refusal(
            "sql.unknown_type",
            *place(node if "start" in node.meta else inside),
            type=kind,
            use=_TYPE_INSTEAD.get(kind, "VARCHAR"),
        )
    return found


def read_interval(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    unit = node.args.get("unit")
    amount = node.this
    negative = isinstance(amount, exp.Neg)
    amount = amount.this if negative else amount
    word = unit.name.upper().removesuffix("S") if isinstance(unit, exp.Var) else ""
    text = amount.name if isinstance(amount, exp.Literal) else ""
    if word not in _INTERVAL_UNITS or not re.fullmatch(r"-?\d{1,9}", text):
        raise Refusal("sql.not_supported", *place(node), form="INTERVAL", use="INTERVAL 3 DAY")
    return Cast(INTERVAL, Constant(VARCHAR, f"{'-' if negative else ''}{text} {word}"))
