"""The actions of CKAN that we answer, each from its parameters to its result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.metadata import ckan
from catalog.metadata.described import Site
from marketplace.feeds.ckan_query import QueryNotUnderstood, Term, parse
from marketplace.feeds.ckan_reads import (
    FACETS,
    SORTS,
    OrganisationCounted,
    facet,
    organisations,
    package_names,
    search_packages,
)
from marketplace.feeds.reads import described

MOST_ROWS: Final = 1000
Parameters = Mapping[str, Any]


class CkanRefused(Exception):
    """`error` as CKAN's clients expect it, with its status."""

    def __init__(self, status: int, kind: str, **told: Any) -> None:
        super().__init__(kind)
        self.status = status
        self.error = {**told, "__type": kind}


class Asked(Struct, frozen=True):
    session: AsyncSession
    site: Site
    parameters: Parameters

    def text(self, *names: str) -> str:
        """The first of the parameters that is given. Raises CkanRefused."""
        for name in names:
            value = self.parameters.get(name)
            if isinstance(value, str) and value:
                return value
        raise CkanRefused(409, "Validation Error", **{names[0]: ["Missing value"]})

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number, at most `most`. Raises CkanRefused."""
        value = self.parameters.get(name, default)
        try:
            number = int(value)
        except (TypeError, ValueError):
            number = -1
        if isinstance(value, (bool, float)) or number < 0:
            raise CkanRefused(409, "Validation Error", **{name: ["Must be a natural number"]})
        return min(number, most)

    def flag(self, name: str) -> bool:
        return str(self.parameters.get(name, "")).lower() in ("true", "1", "yes")


async def status_show(asked: Asked) -> Any:
    """What this is: CKAN's API without CKAN."""
    return {
        "ckan_version": "2.11.0",
        "site_url": asked.site.url,
        "site_title": asked.site.title_vi,
        "site_description": asked.site.title_en,
        "locale_default": "vi",
        "extensions": [],
        "error_emails_to": None,
    }


async def package_list(asked: Asked) -> Any:
    """Names of datasets; `limit` and `offset`."""
    limit = asked.number("limit", MOST_ROWS, 10 * MOST_ROWS)
    return await package_names(asked.session, start=asked.number("offset", 0, 10**9), rows=limit)


async def package_show(asked: Asked) -> Any:
    """One dataset by id or name."""
    found = await described(asked.session, asked.text("id", "name_or_id"))
    if found is None:
        raise CkanRefused(404, "Not Found Error", message="Not found")
    return ckan.package(found, asked.site)


async def package_search(asked: Asked) -> Any:
    """Datasets by words (`q`) and fields (`fq`), with facets."""
    terms, sort = _terms(asked.parameters), _sort(asked.parameters.get("sort"))
    rows, start = asked.number("rows", 10, MOST_ROWS), asked.number("start", 0, 10**9)
    total, found = await search_packages(asked.session, terms=terms, sort=sort, start=start, rows=rows)
    facets = await _facets(asked, terms)
    return {
        "count": total,
        "sort": ", ".join(f"{name} {'desc' if falling else 'asc'}" for name, falling in sort),
        "results": [ckan.package(each, asked.site) for each in found],
        "facets": {name: {item["name"]: item["count"] for item in items} for name, items in facets.items()},
        "search_facets": {name: {"title": name, "items": items} for name, items in facets.items()},
    }


async def organization_list(asked: Asked) -> Any:
    """Names of owners with something listed; whole ones with `all_fields`."""
    start, rows = asked.number("offset", 0, 10**9), asked.number("limit", MOST_ROWS, MOST_ROWS)
    found = await organisations(asked.session, start=start, rows=rows)
    return [_organisation(each) if asked.flag("all_fields") else each.party.slug for each in found]


async def organization_show(asked: Asked) -> Any:
    """One owner by id or name; its datasets with `include_datasets`."""
    found = await organisations(asked.session, named=asked.text("id"))
    if not found:
        raise CkanRefused(404, "Not Found Error", message="Not found")
    told = _organisation(found[0])
    if asked.flag("include_datasets"):
        terms = (Term("organization", found[0].party.slug),)
        sort = [("metadata_modified", True)]
        _, packages = await search_packages(asked.session, terms=terms, sort=sort, start=0, rows=MOST_ROWS)
        told["packages"] = [ckan.package(each, asked.site) for each in packages]
    return told


async def tag_list(asked: Asked) -> Any:
    """Themes of listed datasets; whole ones with `all_fields`."""
    found = sorted(each.name for each in await facet(asked.session, "tags", (), limit=10 * MOST_ROWS))
    return [ckan.tag(name) if asked.flag("all_fields") else name for name in found]


async def help_show(asked: Asked) -> Any:
    """What an action does: `name`. Every answer's `help` leads here."""
    name = asked.text("name")
    if name not in ACTIONS:
        raise CkanRefused(404, "Not Found Error", message="Not found")
    return ACTIONS[name].__doc__


ACTIONS: Final[dict[str, Callable[[Asked], Awaitable[Any]]]] = {
    "help_show": help_show,
    "organization_list": organization_list,
    "organization_show": organization_show,
    "package_list": package_list,
    "package_search": package_search,
    "package_show": package_show,
    "status_show": status_show,
    "tag_list": tag_list,
}


def _organisation(counted: OrganisationCounted) -> dict[str, Any]:
    return {**ckan.organization(counted.party), "package_count": counted.packages}


def _terms(parameters: Parameters) -> tuple[Term, ...]:
    given = parameters.get("fq_list")
    asked = [parameters.get("q"), parameters.get("fq"), *(given if isinstance(given, list) else [])]
    try:
        # Together, for what one question may cost.
        return parse(" ".join(str(text) for text in asked if text is not None))
    except QueryNotUnderstood as wrong:
        raise CkanRefused(409, "Search Query Error", message=f"Search Query is invalid: {wrong}") from wrong


def _sort(given: Any) -> list[tuple[str, bool]]:
    """Scores are ours: a search that is sorted by them comes newest first."""
    asked: dict[str, bool] = {}
    for part in str(given or "score desc, metadata_modified desc").split(","):
        name, _, direction = part.strip().lower().partition(" ")
        if name in SORTS and direction.strip() in ("asc", "desc", ""):
            asked.setdefault(name, direction.strip() == "desc")
        elif name != "score":
            raise CkanRefused(409, "Validation Error", sort=[f"Cannot sort by field `{part.strip()[:100]}`"])
    return list(asked.items()) or [("metadata_modified", True)]


async def _facets(asked: Asked, terms: tuple[Term, ...]) -> dict[str, list[dict[str, Any]]]:
    given = asked.parameters.get("facet.field", [])
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except msgspec.DecodeError:
            given = None
    if not isinstance(given, list) or not set(map(str, given)) <= set(FACETS):
        raise CkanRefused(409, "Validation Error", **{"facet.field": [f"Must be among {', '.join(FACETS)}"]})
    limit = asked.number("facet.limit", 50, MOST_ROWS)
    found = {}
    for name in dict.fromkeys(map(str, given)):
        counted = await facet(asked.session, name, terms, limit=limit)
        found[name] = [msgspec.to_builtins(each) for each in counted]
    return found
