"""What operators take and give: DuckDB's rules, made strict where it would guess."""

from __future__ import annotations

import re
from dataclasses import replace

from .errors import Refusal
from .tree import Cast, Constant, Expression, Operation
from .types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTERVAL,
    TIMESTAMP,
    VARCHAR,
    Type,
    added,
    multiplied,
    remainder,
    unify,
)

Place = tuple[int | None, int | None]


def is_text_constant(node: Expression) -> bool:
    return isinstance(node, Constant) and node.type == VARCHAR


def fit(node: Expression, wanted: Type) -> Expression:
    """A string constant beside a date, number or boolean means a constant of that type, as in DuckDB."""
    if isinstance(node, Constant) and node.type == VARCHAR and _reads_as(node.value.strip(), wanted):
        return Cast(wanted, node)
    return node


def _reads_as(text: str, wanted: Type) -> bool:
    if wanted.is_number:
        return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None
    if wanted.kind == "BOOLEAN":
        return text.lower() in {"true", "false", "t", "f", "1", "0"}
    return wanted.kind in {"DATE", "TIMESTAMP"} and re.match(r"\d{4}-\d{1,2}-\d{1,2}($|[ T])", text) is not None


def alike(nodes: tuple[Expression, ...], place: Place) -> tuple[tuple[Expression, ...], Type]:
    """The nodes made to fit together, and the type that holds them all. Refusal if there is none."""
    solid = [n.type for n in nodes if not is_text_constant(n)]
    wanted = next((t for t in solid if t.kind not in {"NULL", "VARCHAR"}), VARCHAR)
    fitted = tuple(fit(n, wanted) for n in nodes)
    found = fitted[0].type
    for node in fitted[1:]:
        unified = unify(found, node.type)
        if unified is None:
            raise mismatch(found, node.type, place)
        found = unified
    return fitted, found


def mismatch(left: Type, right: Type, place: Place) -> Refusal:
    return Refusal("sql.type_mismatch", *place, left=left.name, right=right.name, use=f"CAST(… AS {left.name})")


def condition(node: Expression, place: Place) -> Expression:
    """The node, which must be true or false."""
    if node.type.kind not in {"BOOLEAN", "NULL"}:
        raise mismatch(BOOLEAN, node.type, place)
    return node


def compared(symbol: str, left: Expression, right: Expression, place: Place) -> Operation:
    """left <symbol> right as BOOLEAN."""
    fitted, _ = alike((left, right), place)
    return Operation(BOOLEAN, symbol, fitted)


def _numbers(symbol: str, left: Type, right: Type, place: Place) -> Type:
    if not (left.is_number and right.is_number):
        raise mismatch(left, right, place)
    if symbol in {"+", "-"}:
        return added(left, right)
    if symbol == "*":
        return multiplied(left, right)
    if symbol in {"/", "**"}:
        return DOUBLE
    unified = remainder(left, right)
    return DOUBLE if symbol == "//" and unified.kind == "DECIMAL" else unified


def _with_time(symbol: str, left: Type, right: Type) -> Type | None:
    """Dates: date ± days, date ± interval, date - date. None if it is none of these."""
    kinds = (left.kind, right.kind)
    if kinds == ("INTERVAL", "INTERVAL"):
        return INTERVAL
    if left.kind in {"DATE", "TIMESTAMP"} and right.kind == "INTERVAL":
        return TIMESTAMP
    if symbol == "+" and left.kind == "INTERVAL" and right.kind in {"DATE", "TIMESTAMP"}:
        return TIMESTAMP
    if left.kind == "DATE" and right.kind in {"INTEGER", "BIGINT"}:
        return DATE
    if symbol == "-" and kinds == ("DATE", "DATE"):
        return BIGINT
    if symbol == "-" and left.kind in {"DATE", "TIMESTAMP"} and right.kind in {"DATE", "TIMESTAMP"}:
        return INTERVAL
    return None


def calculated(symbol: str, left: Expression, right: Expression, place: Place) -> Operation:
    """left <symbol> right for + - * / // % **, with DuckDB's type of the answer."""
    if left.type.kind == "NULL":
        left = Cast(right.type if right.type.kind != "NULL" else BIGINT, left)
    if right.type.kind == "NULL":
        right = Cast(left.type, right)
    if symbol in {"+", "-"}:
        if left.type == DATE and is_text_constant(right) and symbol == "-":
            right = fit(right, DATE)
        found = _with_time(symbol, left.type, right.type)
        if found is not None:
            return Operation(found, symbol, (left, _days(left, right)))
    left, right = fit(left, right.type), fit(right, left.type)
    return Operation(_numbers(symbol, left.type, right.type, place), symbol, (left, right))


def _days(left: Expression, right: Expression) -> Expression:
    # DATE + BIGINT is not defined in DuckDB, DATE + INTEGER is.
    if left.type == DATE and right.type == BIGINT:
        return Cast(Type("INTEGER"), right)
    return right


def negated(node: Expression, place: Place) -> Expression:
    """-node. A constant stays a constant."""
    if not (node.type.is_number or node.type.kind in {"INTERVAL", "NULL"}):
        raise mismatch(DOUBLE, node.type, place)
    if isinstance(node, Constant) and node.type.is_number and not node.value.startswith("-"):
        return replace(node, value=f"-{node.value}")
    return Operation(node.type, "negative", (node,))


def joined(left: Expression, right: Expression, place: Place) -> Operation:
    """left || right: text, or two lists."""
    if left.type.kind == "LIST" or right.type.kind == "LIST":
        unified = unify(left.type, right.type)
        if unified is None:
            raise mismatch(left.type, right.type, place)
        return Operation(unified, "||", (left, right))
    return Operation(VARCHAR, "||", (left, right))


def castable(given: Type, wanted: Type) -> bool:
    """Whether CAST between the two is let through."""
    if given.kind == "NULL" or given == wanted or "VARCHAR" in (given.kind, wanted.kind):
        return True
    if (given.is_number or given == BOOLEAN) and (wanted.is_number or wanted == BOOLEAN):
        return True
    return {given.kind, wanted.kind} == {"DATE", "TIMESTAMP"}
