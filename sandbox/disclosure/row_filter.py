"""A row filter as a condition in SQL. It stands where the files are read, so no SQL above it can reach past it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

from sandbox.job import RowFilter
from sandbox.plan.render import quoted, text
from sandbox.plan.types import type_named

_RANGED: Final = ("BIGINT", "DOUBLE", "DATE", "TIMESTAMP")


class RowFilterUnknown(Exception):
    """One that cannot be enforced: nobody may take it for none."""


def condition(filters: Sequence[RowFilter]) -> str:
    """True where all of them hold. RowFilterUnknown for one that means nothing."""
    return " AND ".join(f"({_one(f)})" for f in filters)


def _one(given: RowFilter) -> str:
    column = f"CAST({quoted(given.column)} AS {type_named(given.type).name})"
    ranged = given.low is not None or given.high is not None
    if ranged == bool(given.values) or (ranged and given.type not in _RANGED):
        raise RowFilterUnknown(given.column)
    if not ranged:
        return f"{column} IN ({', '.join(_constant(v, given.type) for v in given.values)})"
    bounds = [(">=", given.low), ("<=", given.high)]
    return " AND ".join(f"{column} {sign} {_constant(b, given.type)}" for sign, b in bounds if b is not None)


def _constant(value: object, kind: str) -> str:
    """Of exactly the column's type: what the engine would have to guess is no filter."""
    match kind, value:
        case "VARCHAR", str():
            return text(value)
        case "BOOLEAN", bool():
            return str(value).lower()
        case "BIGINT", int() if not isinstance(value, bool) and -(2**63) < value < 2**63:
            return f"({value})"
        case "DOUBLE", int() | float() if not isinstance(value, bool) and math.isfinite(value):
            return f"CAST({text(repr(float(value)))} AS DOUBLE)"
        case "DATE" | "TIMESTAMP", str():
            return _instant(value, kind)
    raise RowFilterUnknown(kind)


def _instant(value: str, kind: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as unread:
        raise RowFilterUnknown(kind) from unread
    if moment.tzinfo is not None or (kind == "DATE" and moment != datetime.combine(moment.date(), time())):
        raise RowFilterUnknown(kind)
    return f"DATE '{moment.date().isoformat()}'" if kind == "DATE" else f"TIMESTAMP '{moment.isoformat(sep=' ')}'"
