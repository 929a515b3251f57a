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
        *([_released_between(since, at)] if since is not None else ()),
    ]


def released_in(at: datetime) -> tuple[str, ...]:
    """The lexemes of the month, quarter and year (UTC) in which something was released."""
    at = at.astimezone(UTC)
    return (_month(at.year, at.month), _quarter(at.year, at.month), _year(at.year))


def _released_between(since: datetime, at: datetime) -> list[str]:
    """The fewest lexemes of all months from one instant to the other: of thirteen the index would be slow."""
    first, last = (each.astimezone(UTC) for each in (since, at))
    made = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        if month == 1:
            made.append(_year(year))
            year += 1
        elif month % 3 == 1:
            made.append(_quarter(year, month))
            year, month = (year, month + 3) if month < 10 else (year + 1, 1)
        else:
            made.append(_month(year, month))
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return made


def _month(year: int, month: int) -> str:
    return f"{RELEASED}{year}-{month:02}"


def _quarter(year: int, month: int) -> str:
    return f"{RELEASED}{year}q{(month + 2) // 3}"


def _year(year: int) -> str:
    return f"{RELEASED}{year}"


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
