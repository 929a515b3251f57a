"""What to write where the arguments of a function that we have do not fit it: other dialects call it otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .functions import Function
from .tree import Expression

DISTINCT_ROWS = "SELECT count(*) FROM (SELECT DISTINCT a, b FROM …)"
_Fits = Callable[[Sequence[Expression]], bool]


def _first(*kinds: str) -> _Fits:
    return lambda given: bool(given) and given[0].type.kind in kinds


def _several(given: Sequence[Expression]) -> bool:
    return len(given) > 1


def _always(_: Sequence[Expression]) -> bool:
    return True


_DAYS, _TEXTS = "date_diff('day', a, b)", "string_agg(CAST(x AS VARCHAR), ',')"
_INSTEAD: dict[str, tuple[_Fits, str]] = {
    "sum": (_first("BOOLEAN"), "count_if(x)"),
    "avg": (_first("BOOLEAN"), "avg(CASE WHEN x THEN 1 ELSE 0 END)"),
    "mean": (_first("BOOLEAN"), "avg(CASE WHEN x THEN 1 ELSE 0 END)"),
    "count": (_several, DISTINCT_ROWS),
    "min": (_several, "least(a, b)"),
    "max": (_several, "greatest(a, b)"),
    "datediff": (_always, _DAYS),
    "date_diff": (_always, _DAYS),
    "date_sub": (_first("DATE", "TIMESTAMP"), "d - INTERVAL 1 MONTH"),
    "date_add": (_always, "d + INTERVAL 1 MONTH"),
    "date_trunc": (_always, "date_trunc('month', d)"),
    "strftime": (_first("VARCHAR"), "strftime(d, '%Y-%m')"),
    "string_agg": (_always, _TEXTS),
    "group_concat": (_always, _TEXTS),
    "listagg": (_always, _TEXTS),
    "contains": (_first("LIST"), "list_contains(xs, x)"),
    "array_length": (_several, "len(xs)"),
    "length": (_first("INTEGER", "BIGINT", "DOUBLE", "DECIMAL"), "length(CAST(x AS VARCHAR))"),
}


def fitting(function: Function, given: Sequence[Expression]) -> str:
    """The function's signature, and where we know what was meant, what to write for it."""
    fits, instead = _INSTEAD.get(function.name, (_always, ""))
    return f"{function.signature}; {instead}" if instead and fits(given) else function.signature
