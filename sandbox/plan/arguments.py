"""Whether arguments fit a function of the table, and the type of its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .arithmetic import Place, alike, fit, is_text_constant
from .errors import Refusal
from .functions import Function
from .misfits import fitting
from .tree import Cast, Constant, Expression, Operation
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
    Type,
    decimal,
    list_of,
    remainder,
    type_named,
    unify,
)

DATE_PARTS = frozenset({
    "year", "quarter", "month", "week", "day", "dayofweek", "isodow", "dayofyear", "hour", "minute", "second",
    "decade", "century", "isoyear", "millennium", "weekday", "yearweek", "doy", "dow", "epoch", "era", "julian",
    "millisecond", "microsecond",
})  # fmt: skip
_DIFFERENCE_PARTS = frozenset({
    "year", "quarter", "month", "week", "day", "hour", "minute", "second", "decade", "century", "isoyear",
    "millennium", "millisecond", "microsecond",
})  # fmt: skip

_INTERVAL_PARTS = (_DIFFERENCE_PARTS | {"epoch"}) - {"week", "isoyear"}

_FITS: dict[str, Callable[[Type], bool]] = {
    "ANY": lambda t: t.kind != "INTERVAL",
    "INTERVAL": lambda t: t.kind == "INTERVAL",
    "MOMENT": lambda t: t.kind in {"DATE", "TIMESTAMP", "INTERVAL"},
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
    "LISTS": lambda t: t.item is not None and t.item.kind == "LIST",
    "PLAIN": lambda t: t.kind not in {"LIST", "INTERVAL"},
    "NUMBERS": lambda t: t.item is not None and t.item.is_number,
    "SIZED": lambda t: t.kind in {"LIST", "VARCHAR"},
    "ORDERED": lambda t: t.kind not in {"LIST", "INTERVAL", "BOOLEAN"},
    "CONTINUOUS": lambda t: t.is_number or t.kind in {"DATE", "TIMESTAMP"},
}
_ABSENT: dict[str, Type] = {
    "NUMBER": DOUBLE, "DOUBLE": DOUBLE, "WHOLE": BIGINT, "INTEGER": INTEGER, "BOOLEAN": BOOLEAN, "TEMPORAL": DATE,
    "TIMESTAMP": TIMESTAMP, "DATE": DATE, "MOMENT": DATE, "INTERVAL": INTERVAL,
    "VARCHAR": type_named("VARCHAR"), "CONTINUOUS": DOUBLE,
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


def _number_from(low: float, high: float) -> Callable[[Constant], bool]:
    return lambda node: node.type.is_number and low <= float(node.value) <= high


_CONSTANTS: dict[str, Callable[[Constant], bool]] = {
    "FRACTION": _number_from(0, 1),
    "PLACE": lambda node: node.type.is_integer and 0 <= int(node.value) <= 9,
    "TEXT": lambda node: node.type.kind == "VARCHAR",
    "PATH": lambda node: node.type.kind in {"VARCHAR", "INTEGER"},
    "OPTIONS": lambda node: node.type.kind == "VARCHAR" and set(node.value) <= set("cgilmnps"),
    "WAY": lambda node: node.value.upper() in {"ASC", "DESC"},
}
"""Words that only constants of some kind fit."""


def _digits(node: Expression, first: Type) -> Expression | None:
    """How many digits to keep: an INTEGER; the engine wants to know them beforehand if they decide the type."""
    if node.type.kind not in {"INTEGER", "BIGINT"} or (first.kind == "DECIMAL" and not isinstance(node, Constant)):
        return None
    return node if node.type.kind == "INTEGER" else Cast(INTEGER, node)


def _period(node: Expression) -> Expression | None:
    written = node.operand if isinstance(node, Cast) else None
    if not isinstance(written, Constant) or node.type.kind != "INTERVAL":
        return None
    return node if int(written.value.split()[0]) > 0 else None


def _one(word: str, node: Expression, function: Function) -> Expression | None:
    """The argument made to fit, or None."""
    if word == "PART":
        return _part(node, function)
    if word == "PERIOD":
        return _period(node)
    if word == "FRACTION" and isinstance(node, Operation) and node.symbol == "list":
        fits = all(isinstance(one, Constant) and _CONSTANTS[word](one) for one in node.operands)
        return node if fits else None
    if word in _CONSTANTS:
        return node if isinstance(node, Constant) and _CONSTANTS[word](node) else None
    if node.type.kind == "NULL":
        return Cast(_ABSENT[word], node) if word in _ABSENT else node
    if word in {"TEMPORAL", "DATE", "TIMESTAMP", "MOMENT"} and is_text_constant(node):
        return fit(node, TIMESTAMP if word != "DATE" else DATE)
    if not _FITS[word](node.type):
        return None
    if word == "INTEGER" and node.type.kind == "BIGINT":
        return Cast(INTEGER, node)
    return node


_BESIDE = frozenset({"ITEM", "LIKE", "DIGITS"})


def _beside(word: str, node: Expression, first: Type) -> Expression | None:
    """What must go with the first argument, made to fit, or None."""
    if word == "DIGITS":
        return _digits(node, first)
    wanted = first if word == "LIKE" else first.item or NULL
    node = fit(node, wanted)
    fits = unify(wanted, node.type) is not None and not (word == "ITEM" and node.type.kind == "LIST")
    return node if fits else None


def _fits_part(node: Expression, before: list[Expression], words: list[str]) -> bool:
    """An INTERVAL has no weeks: it is months, days and microseconds."""
    if node.type.kind != "INTERVAL" or words[:1] != ["PART"] or not before:
        return True
    part = before[0]
    return isinstance(part, Constant) and part.value in _INTERVAL_PARTS


def checked(function: Function, arguments: tuple[Expression, ...], place: Place) -> tuple[Expression, ...]:
    """The arguments as the function takes them. Refusal (with its signature) if they do not fit."""
    words = _words(function, len(arguments))
    wrong = Refusal("sql.wrong_arguments", *place, use=fitting(function, arguments))
    if words is None:
        raise wrong
    fitted: list[Expression] = []
    for word, node in zip(words, arguments, strict=True):
        found = _beside(word, node, fitted[0].type) if word in _BESIDE else _one(word, node, function)
        if found is None or not _fits_part(found, fitted, words):
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


_Rule = Callable[[tuple[Type, ...], tuple[Expression, ...]], Type]


def _item(types: tuple[Type, ...]) -> Type:
    return types[0].item or types[0]


def _date_part(types: tuple[Type, ...], arguments: tuple[Expression, ...]) -> Type:
    part = arguments[0]
    return DOUBLE if isinstance(part, Constant) and part.value in {"epoch", "julian"} else BIGINT


_RULES: dict[str, _Rule] = {
    "remainder": lambda types, _: remainder(types[0], types[1]),
    "same": lambda types, _: types[0],
    "second": lambda types, _: types[1],
    "unified": lambda types, _: _unified(types),
    "chosen": lambda types, _: _unified(types[1:]),
    "sum": lambda types, _: _sum(types[0]),
    "middle": lambda types, _: _middle(types[0]),
    "whole_number": lambda types, _: _whole_number(types[0]),
    "rounded": _rounded,
    "list": lambda types, _: list_of(_unified(types)),
    "joined": lambda types, _: _unified((types[0], list_of(types[1]))),
    "item": lambda types, _: _item(types),
    "item_sum": lambda types, _: _sum(_item(types)),
    "item_middle": lambda types, _: _middle(_item(types)),
    "date_part": _date_part,
}


def answer_type(function: Function, arguments: tuple[Expression, ...]) -> Type:
    """The type that DuckDB gives this call."""
    rule = _RULES.get(function.answer)
    if rule is not None and function.arguments[-1:] == ("FRACTION",) and arguments[-1].type.kind == "LIST":
        return list_of(rule(tuple(argument.type for argument in arguments), arguments))
    if rule is not None:
        return rule(tuple(argument.type for argument in arguments), arguments)
    return INTERVAL if function.answer == "INTERVAL" else type_named(function.answer)
