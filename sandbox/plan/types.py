"""DuckDB's types as far as they are let through, and its rules for what becomes of two of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "NULL", "BOOLEAN", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP",
    "INTERVAL", "LIST",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Type:
    """A DuckDB type. width and scale: DECIMAL only; item: LIST only."""

    kind: Kind
    width: int = 0
    scale: int = 0
    item: Type | None = None

    @property
    def name(self) -> str:
        """As DuckDB writes it."""
        if self.kind == "DECIMAL":
            return f"DECIMAL({self.width},{self.scale})"
        if self.item is not None:
            return f"{self.item.name}[]"
        return self.kind

    @property
    def is_integer(self) -> bool:
        return self.kind in _INTEGER_DIGITS

    @property
    def is_number(self) -> bool:
        return self.is_integer or self.kind in {"DECIMAL", "DOUBLE"}


NULL = Type("NULL")
BOOLEAN = Type("BOOLEAN")
INTEGER = Type("INTEGER")
BIGINT = Type("BIGINT")
HUGEINT = Type("HUGEINT")
DOUBLE = Type("DOUBLE")
VARCHAR = Type("VARCHAR")
DATE = Type("DATE")
TIMESTAMP = Type("TIMESTAMP")
INTERVAL = Type("INTERVAL")

_INTEGER_DIGITS = {"INTEGER": 10, "BIGINT": 19, "HUGEINT": 38}
MAX_WIDTH = 38
INT64_WIDTH = 18
_NAMED = {t.name: t for t in (BOOLEAN, INTEGER, BIGINT, HUGEINT, DOUBLE, VARCHAR, DATE, TIMESTAMP)}
_DECIMAL = re.compile(r"DECIMAL\((\d{1,2}),\s*(\d{1,2})\)")


def decimal(width: int, scale: int) -> Type:
    """DECIMAL, its width cut to what DuckDB can hold."""
    return Type("DECIMAL", width=min(width, MAX_WIDTH), scale=scale)


def list_of(item: Type) -> Type:
    """A list of `item`."""
    return Type("LIST", item=item)


def type_named(name: str) -> Type:
    """The type of that name, e.g. "BIGINT", "DECIMAL(10,2)", "VARCHAR[]". ValueError if it is none of ours."""
    if name.endswith("[]"):
        return list_of(type_named(name[:-2]))
    if found := _NAMED.get(name):
        return found
    if match := _DECIMAL.fullmatch(name):
        return decimal(int(match[1]), int(match[2]))
    raise ValueError(f"no such column type: {name}")


def as_decimal(given: Type) -> Type:
    """The DECIMAL that holds every value of an integer or decimal type."""
    return given if given.kind == "DECIMAL" else decimal(_INTEGER_DIGITS[given.kind], 0)


def _unify_numbers(left: Type, right: Type) -> Type:
    if "DOUBLE" in (left.kind, right.kind):
        return DOUBLE
    if "DECIMAL" not in (left.kind, right.kind):
        return max(left, right, key=lambda t: _INTEGER_DIGITS[t.kind])
    a, b = as_decimal(left), as_decimal(right)
    scale = max(a.scale, b.scale)
    width = max(a.width - a.scale, b.width - b.scale) + scale
    # What does not fit in 38 digits loses decimals, as in DuckDB.
    return decimal(width, max(0, scale - max(0, width - MAX_WIDTH)))


def unify(left: Type, right: Type) -> Type | None:
    """The type that holds both, as in CASE, coalesce and UNION; None if DuckDB would not mix them."""
    if left == right or right.kind == "NULL":
        return left
    if left.kind == "NULL":
        return right
    if left.is_number and right.is_number:
        return _unify_numbers(left, right)
    if {left.kind, right.kind} == {"DATE", "TIMESTAMP"}:
        return TIMESTAMP
    if left.item is not None and right.item is not None:
        item = unify(left.item, right.item)
        return list_of(item) if item is not None else None
    return None


def added(left: Type, right: Type) -> Type:
    """The type of + and - over two numbers."""
    unified = _unify_numbers(left, right)
    if unified.kind != "DECIMAL":
        return unified
    a, b = as_decimal(left), as_decimal(right)
    scale = max(a.scale, b.scale)
    width = max(a.width - a.scale, b.width - b.scale) + scale + 1
    return decimal(_within_int64(width, a, b), scale)


def multiplied(left: Type, right: Type) -> Type:
    """The type of * over two numbers."""
    unified = _unify_numbers(left, right)
    if unified.kind != "DECIMAL":
        return unified
    a, b = as_decimal(left), as_decimal(right)
    scale = a.scale + b.scale
    if scale > MAX_WIDTH:
        return DOUBLE
    width = a.width + b.width
    return decimal(_within_int64(width, a, b) if scale < INT64_WIDTH else width, scale)


def remainder(left: Type, right: Type) -> Type:
    """The type of % over two numbers: DOUBLE where the digits of both do not fit in a DECIMAL."""
    unified = _unify_numbers(left, right)
    if unified.kind != "DECIMAL":
        return unified
    a, b = as_decimal(left), as_decimal(right)
    fits = max(a.width - a.scale, b.width - b.scale) + max(a.scale, b.scale) <= MAX_WIDTH
    return unified if fits else DOUBLE


def _within_int64(width: int, a: Type, b: Type) -> int:
    # DuckDB stays in 64 bits (and checks for overflow) as long as both sides fit.
    return INT64_WIDTH if width > INT64_WIDTH and max(a.width, b.width) <= INT64_WIDTH else width


def output_type(given: Type) -> Type | None:
    """The type in which a value of `given` is returned; None if it is never returned (INTERVAL)."""
    if given.item is not None:
        item = output_type(given.item)
        return list_of(item) if item is not None else None
    if given.kind == "HUGEINT":
        return decimal(MAX_WIDTH, 0)
    if given.kind in {"INTEGER", "NULL"}:
        return BIGINT
    return None if given.kind == "INTERVAL" else given
