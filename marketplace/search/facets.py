"""Facets: by what the listings that were found may be narrowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

FACETS: Final = (
    "theme", "owner", "province", "purpose", "price", "quality", "class", "freshness", "licence",
)  # fmt: skip
FRESHNESS: Final = "freshness"
RELEASED: Final = "released:"
FRESHNESS_DAYS: Final = {"month": 31, "quarter": 92, "year": 366}
VALUES: Final = 15
"""Of a facet that are shown, the most frequent; a chosen one is always shown."""
VALUE_CHARACTERS: Final = 200
CHOICES: Final = 20
"""Of all facets together that one question may choose."""


class Choice(Struct, frozen=True, kw_only=True):
    value: str
    listings: int
    chosen: bool


class Facet(Struct, frozen=True, kw_only=True):
    name: str
    values: tuple[Choice, ...]


Chosen = Mapping[str, tuple[str, ...]]
"""Facet → the values of which a listing must have one."""


def codes(chosen: Chosen, *, at: datetime, besides: str | None = None) -> list[list[str]]:
    """The lexemes of what is chosen; `besides` one facet, whose own counts should not be narrowed by it."""
    since = released_since(chosen, at, besides=besides)
    return [
        *(
            [f"{name}:{value}" for value in values]
            for name, values in chosen.items()
            if name not in (besides, FRESHNESS) and values
        ),
        *([_months(since, at)] if since is not None else ()),
    ]


def month_of(at: datetime) -> str:
    """The lexeme of the month (UTC) in which something was released."""
    return f"{RELEASED}{at.astimezone(UTC):%Y-%m}"


def _months(since: datetime, at: datetime) -> list[str]:
    first, last = (each.astimezone(UTC) for each in (since, at))
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    return [
        f"{RELEASED}{first.year + n // 12}-{n % 12 + 1:02}"
        for n in range(first.month - 1, first.month - 1 + count)
    ]


def released_since(chosen: Chosen, at: datetime, *, besides: str | None = None) -> datetime | None:
    """The instant after which a listing must have been released."""
    days = [FRESHNESS_DAYS[value] for value in chosen.get(FRESHNESS, ()) if value in FRESHNESS_DAYS]
    return at - timedelta(days=max(days)) if days and besides != FRESHNESS else None


def facets_of(counted: Mapping[str, Mapping[str, int]], chosen: Chosen) -> tuple[Facet, ...]:
    """`counted`: facet → value → in how many listings."""
    made = []
    for name in FACETS:
        values = dict(counted.get(name, {}))
        selected = chosen.get(name, ())
        values |= {value: values.get(value, 0) for value in selected}
        ordered = sorted(values, key=lambda value: (value not in selected, -values[value], value))[:VALUES]
        if ordered:
            made.append(Facet(name=name, values=_choices(ordered, values, selected)))
    return tuple(made)


def _choices(ordered: Sequence[str], values: Mapping[str, int], selected: Sequence[str]) -> tuple[Choice, ...]:
    return tuple(Choice(value=each, listings=values[each], chosen=each in selected) for each in ordered)
