"""Whether arguments fit a function of the table, and the type of its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .arithmetic import Place, alike, fit, is_text_constant
from .errors import Refusal
from .functions import Function
from .tree import Cast, Constant, Expression
from .types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    HUGEINT,
    INTEGER,
    NULL,
    TIMESTAMP,
    Type,
    decimal,
    list_of,
    remainder,
    type_named,
    unify,
)

DATE_PARTS = frozenset({
    "year", "quarter", "month", "week", "day", "dayofweek", "isodow", "dayofyear", "hour", "minute", "second",
    "decade", "century", "isoyear", "millennium", "weekday", "yearweek", "doy", "dow", "epoch",
})  # fmt: skip
_DIFFERENCE_PARTS = frozenset({
    "year", "quarter", "month", "week", "day", "hour", "minute", "second", "decade", "century", "isoyear",
    "millennium",
})  # fmt: skip

_FITS: dict[str, Callable[[Type], bool]] = {
    "ANY": lambda t: t.kind != "INTERVAL",
    "ITEM": lambda t: t.kind != "LIST",
    "T": lambda t: t.kind != "INTERVAL",
    "NUMBER": lambda t: t.is_number,
    "DOUBLE": lambda t: t.is_number,
    "WHOLE": lambda t: t.kind in {"INTEGER", "BIGINT"},
    "INTEGER": lambda t: t.kind in {"INTEGER", "BIGINT"},
    "VARCHAR": lambda t: t.kind == "VARCHAR",
    "BOOLEAN": lambda t: t.kind == "BOOLEAN",
    "TEMPORAL": lambda t: t.kind in {"DATE", "TIMESTAMP"},
    "TIMESTAMP": lambda t: t.kind in {"DATE", "TIMESTAMP"},
    "DATE": lambda t: t.kind == "DATE",
    "LIST": lambda t: t.kind == "LIST",
    "NUMBERS": lambda t: t.item is not None and t.item.is_number,
    "SIZED": lambda t: t.kind in {"LIST", "VARCHAR"},
    "ORDERED": lambda t: t.kind not in {"LIST", "INTERVAL", "BOOLEAN"},
    "CONTINUOUS": lambda t: t.is_number or t.kind in {"DATE", "TIMESTAMP"},
}
_ABSENT: dict[str, Type] = {
    "NUMBER": DOUBLE, "DOUBLE": DOUBLE, "WHOLE": BIGINT, "INTEGER": INTEGER, "BOOLEAN": BOOLEAN, "TEMPORAL": DATE,
    "TIMESTAMP": TIMESTAMP, "DATE": DATE, "VARCHAR": type_named("VARCHAR"), "CONTINUOUS": DOUBLE,
}  # fmt: skip


def _words(function: Function, count: int) -> list[str] | None:
    """The kinds of `count` arguments; None if the function does not take so many."""
    words = [w.rstrip("?") for w in function.arguments if not w.endswith("*")]
    needed = sum(1 for w in function.arguments if w[-1] not in "?*")
    repeated = next((w[:-1] for w in function.arguments if w.endswith("*")), None)
    if count < needed or (count > len(words) and repeated is None):
        return None
    return words[:count] + [repeated or ""] * (count - len(words))


def _part(node: Expression, function: Function) -> Expression | None:
    if not is_text_constant(node) or not isinstance(node, Constant):
        return None
    word = node.value.lower()
    allowed = DATE_PARTS if function.name in {"date_part", "datepart"} else _DIFFERENCE_PARTS
    for candidate in (word, word.removesuffix("s")):
        if candidate in allowed:
            return replace(node, value=candidate)
    return None


def _fraction(node: Expression) -> Expression | None:
    if isinstance(node, Constant) and node.type.is_number and 0 <= float(node.value) <= 1:
        return node
    return None


def _one(word: str, node: Expression, function: Function) -> Expression | None:
    """The argument made to fit, or None."""
    if word == "PART":
        return _part(node, function)
    if word == "FRACTION":
        return _fraction(node)
    if word == "TEXT":
        return node if is_text_constant(node) else None
    if node.type.kind == "NULL":
        return Cast(_ABSENT[word], node) if word in _ABSENT else node
    if word in {"TEMPORAL", "DATE", "TIMESTAMP"} and is_text_constant(node):
        return fit(node, TIMESTAMP if word != "DATE" else DATE)
    if not _FITS[word](node.type):
        return None
    if word == "INTEGER" and node.type.kind == "BIGINT":
        return Cast(INTEGER, node)
    return node


def checked(function: Function, arguments: tuple[Expression, ...], place: Place) -> tuple[Expression, ...]:
    """The arguments as the function takes them. Refusal (with its signature) if they do not fit."""
    words = _words(function, len(arguments))
    wrong = Refusal("sql.wrong_arguments", *place, use=function.signature)
    if words is None:
        raise wrong
    fitted: list[Expression] = []
    for word, node in zip(words, arguments, strict=True):
        found = _one(word, fit(node, fitted[0].type.item or NULL) if word == "ITEM" else node, function)
        if word == "ITEM" and found is not None and unify(found.type, fitted[0].type.item or NULL) is None:
            found = None
        if found is None:
            raise wrong
        fitted.append(found)
    if "T" in words:
        alike_ones = iter(alike(tuple(n for w, n in zip(words, fitted, strict=True) if w == "T"), place)[0])
        fitted = [next(alike_ones) if w == "T" else n for w, n in zip(words, fitted, strict=True)]
    return tuple(fitted)


def _unified(types: tuple[Type, ...]) -> Type:
    found = types[0]
    for one in types[1:]:
        found = unify(found, one) or found
    return found


def _sum(given: Type) -> Type:
    if given.is_integer:
        return HUGEINT
    return decimal(38, given.scale) if given.kind == "DECIMAL" else DOUBLE


def _middle(given: Type) -> Type:
    if given.is_integer and given.kind != "HUGEINT":
        return DOUBLE
    return TIMESTAMP if given.kind == "DATE" else DOUBLE if given.kind == "HUGEINT" else given


def _whole_number(given: Type) -> Type:
    return decimal(given.width, 0) if given.kind == "DECIMAL" else DOUBLE


def _rounded(types: tuple[Type, ...], arguments: tuple[Expression, ...]) -> Type:
    if types[0].kind != "DECIMAL":
        return types[0]
    digits = 0
    if len(arguments) > 1 and isinstance(arguments[1], Constant):
        digits = int(arguments[1].value)
    elif len(arguments) > 1:
        return types[0]
    return decimal(types[0].width, max(0, min(digits, types[0].scale)))


def answer_type(function: Function, arguments: tuple[Expression, ...]) -> Type:
    """The type that DuckDB gives this call."""
    types = tuple(a.type for a in arguments)
    match function.answer:
        case "remainder":
            return remainder(types[0], types[1])
        case "same":
            return types[0]
        case "unified":
            return _unified(types if function.arguments[0] != "BOOLEAN" else types[1:])
        case "sum":
            return _sum(types[0])
        case "middle":
            return _middle(types[0])
        case "whole_number":
            return _whole_number(types[0])
        case "rounded":
            return _rounded(types, arguments)
        case "list":
            return list_of(_unified(types))
        case "item":
            return types[0].item or types[0]
        case "item_sum":
            return _sum(types[0].item or DOUBLE)
        case "date_part":
            part = arguments[0]
            return DOUBLE if isinstance(part, Constant) and part.value == "epoch" else BIGINT
    return type_named(function.answer) if function.answer != "INTERVAL" else Type("INTERVAL")
