"""The catalogue's address: what is searched for and what is chosen of each facet; and how facets are said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar.datastructures import MultiDict
from msgspec import Struct

from catalog.terms.concepts import places
from marketplace.search.facets import CHOICES, FACETS, VALUE_CHARACTERS, Facet
from marketplace.web.view import View

_OPEN = 5
"""Values of a facet that are shown at once."""


class FacetValue(Struct, frozen=True, kw_only=True):
    """`path` is the catalogue with this value chosen, or left, instead."""

    value: str
    label: str
    listings: int
    chosen: bool
    path: str


class ChosenView(Struct, frozen=True, kw_only=True):
    """What is chosen, in words; `path` is the catalogue without it."""

    name: str
    label: str
    path: str


class FacetView(Struct, frozen=True, kw_only=True):
    name: str
    values: tuple[FacetValue, ...]
    more: tuple[FacetValue, ...]


def chosen_in(query: MultiDict[Any]) -> dict[str, tuple[str, ...]]:
    """What the address chooses; values nobody has simply find nothing."""
    chosen = {}
    for name in FACETS:
        values = [str(value)[:VALUE_CHARACTERS].replace("\x00", "") for value in query.getall(name, [])]
        if any(values):
            chosen[name] = tuple(dict.fromkeys(filter(None, values)))[:CHOICES]
    return chosen


def address(q: str, chosen: Mapping[str, tuple[str, ...]], **more: str | None) -> str:
    """The catalogue's path for this state."""
    pairs = [("q", q)] if q else []
    pairs += [(name, value) for name in FACETS for value in chosen.get(name, ())]
    pairs += [(name, value) for name, value in more.items() if value]
    return f"/?{urlencode(pairs)}" if pairs else "/"


def facet_views(
    view: View,
    facets: tuple[Facet, ...],
    *,
    q: str,
    chosen: Mapping[str, tuple[str, ...]],
    owners: Mapping[str, str],
    sort: str | None = None,
) -> tuple[FacetView, ...]:
    """Facets in the reader's words; `owners`: slug → name; `sort` is kept in every path."""
    made = []
    for facet in facets:
        values = tuple(
            FacetValue(
                value=each.value,
                label=choice_label(view, facet.name, each.value, owners),
                listings=each.listings,
                chosen=each.chosen,
                path=address(q, _toggled(chosen, facet.name, each.value), sort=sort),
            )
            for each in facet.values
        )
        first = max(_OPEN, sum(each.chosen for each in values))
        made.append(FacetView(name=facet.name, values=values[:first], more=values[first:]))
    return tuple(made)


def chosen_views(facets: tuple[FacetView, ...]) -> tuple[ChosenView, ...]:
    """Every choice, to be taken back: also where the facets are folded away."""
    return tuple(
        ChosenView(name=facet.name, label=each.label, path=each.path)
        for facet in facets
        for each in (*facet.values, *facet.more)
        if each.chosen
    )


def _toggled(chosen: Mapping[str, tuple[str, ...]], name: str, value: str) -> dict[str, tuple[str, ...]]:
    values = chosen.get(name, ())
    changed = tuple(each for each in values if each != value) if value in values else (*values, value)
    return {**chosen, name: changed}


def choice_label(view: View, name: str, value: str, owners: Mapping[str, str]) -> str:
    """A value of a facet in the reader's words; `owners`: slug → name."""
    if name == "owner":
        return owners.get(value, value)
    if name == "province" and value != "all":
        return places().get(value, value)
    key = {"class": f"class.state.{value}", "purpose": f"purpose.{value}"}.get(name, f"facet.{name}.{value}")
    return view.known_words(key) or (value[:1].upper() + value[1:] if name == "theme" else value)
