"""The catalogue and the page of a dataset: open to everybody."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Template
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.agreements.standing import standing_of
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.errors import NotFound
from marketplace.feeds.api import lead_to_metadata
from marketplace.feeds.forms import FORMS, embedded
from marketplace.feeds.site import site_of
from marketplace.finding.about import choosing
from marketplace.finding.calculator import Estimate, estimate
from marketplace.finding.related import read_related
from marketplace.finding.watching import watch_of
from marketplace.harvest.reads import external_listings
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.reads import owners_named, read_dataset, read_waiting
from marketplace.listings.schemas import DatasetPage
from marketplace.offers.reads import offers_of
from marketplace.quality.newest import read_newest
from marketplace.web.faceted import address, chosen_in, chosen_views, facet_views
from marketplace.web.view import AnyRequest, View

PAGE_DATASETS = 20
NEWEST = "newest"
PAGE_EXTERNAL = 5
"""Of other catalogues, under the own ones."""


@get("/")
async def show_catalogue(
    view: View,
    session: AsyncSession,
    request: AnyRequest,
    q: Annotated[str, QueryParameter(max_length=200)] = "",
    cursor: str | None = None,
    sort: str | None = None,
) -> Template:
    """Datasets, all or those that are searched for and chosen by facets; htmx gets facets and list alone."""
    chosen = chosen_in(request.query_params)
    q = q.strip()
    sort = NEWEST if q and sort == NEWEST else None
    listed = await list_datasets(
        session, q=q, chosen=chosen, cursor=cursor, limit=PAGE_DATASETS, newest_first=sort == NEWEST
    )
    slugs = [each.value for facet in listed.facets if facet.name == "owner" for each in facet.values]
    owners = await owners_named(session, slugs)
    facets = facet_views(view, listed.facets, q=q, chosen=chosen, owners=owners, sort=sort)
    # Other catalogues say nothing that facets could choose by.
    elsewhere = bool(q) and not chosen and cursor is None
    return view.page(
        "_found.html" if view.partial else "catalogue.html",
        listed=listed,
        q=q,
        sort=sort,
        chosen=[(name, value) for name, values in chosen.items() for value in values],
        facets=facets,
        chips=chosen_views(facets),
        sorts=[(each, address(q, chosen, sort=each)) for each in (None, NEWEST)],
        next_path=address(q, chosen, sort=sort, cursor=listed.next) if listed.next else None,
        all_path=address(q, {}, sort=sort),
        external=await external_listings(session, q=q, limit=PAGE_EXTERNAL) if elsewhere else None,
    )


@get("/datasets/{slug:str}", before_request=lead_to_metadata)
async def show_dataset(
    view: View, session: AsyncSession, config: Config, request: AnyRequest, slug: str
) -> Template:
    """Everything that is said in public about one dataset, what queries would cost, and to its owner who waits.

    htmx gets what queries would cost alone.
    """
    dataset = await read_dataset(session, slug)
    if dataset is None:
        raise NotFound
    chosen = [str(name) for name in request.query_params.getall("column", [])]
    cost = _cost(dataset, chosen, str(request.query_params.get("queries", "")))
    if view.partial:
        return view.page("_estimate.html", dataset=dataset, cost=cost, chosen=chosen)
    offered = await offers_of(session, dataset_id=dataset.id, caller=view.caller, at=utcnow())
    offers = [offer for offer in offered.items if offer.state == "open"]
    site = site_of(request, config)
    return view.page(
        "dataset.html",
        dataset=dataset,
        **await _of_reader(view, session, dataset),
        offers=offers,
        about=await choosing(session, dataset, site=site.url),
        quality=await read_newest(session, dataset.id, version_id=dataset.version.id, at=utcnow()),
        cost=cost,
        chosen=chosen,
        search_engines=Markup(await embedded(session, slug, site)),  # noqa: S704 - no < in it
        forms=FORMS,
    )


async def _of_reader(view: View, session: AsyncSession, dataset: DatasetPage) -> dict[str, Any]:
    """What concerns the reader: a startup's standing, who waits at an owner's own, whether it is watched."""
    reader = view.caller
    if reader is None:
        return {"waiting": None, "standing": None, "watch_id": None}
    ours, kind = reader.organisation_id, reader.organisation_kind
    return {
        "waiting": await read_waiting(session, dataset.slug, owner_id=ours) if kind == "owner" else None,
        "standing": await standing_of(session, dataset_id=dataset.id, startup_id=ours, at=utcnow())
        if kind == "startup"
        else None,
        "watch_id": await watch_of(session, person_id=reader.person_id, dataset_id=dataset.id),
    }


@get("/datasets/{slug:str}/related")
async def show_related(view: View, session: AsyncSession, slug: str) -> Template:
    """What is like it; a page of its own, for it takes a search: htmx asks once the reader has come so far."""
    dataset = await read_dataset(session, slug)
    if dataset is None:
        raise NotFound
    related = await read_related(session, dataset, at=utcnow())
    return view.page("_related.html" if view.partial else "related.html", dataset=dataset, related=related)


def _cost(dataset: DatasetPage, chosen: list[str], queries: str) -> Estimate | None:
    if dataset.price is None:
        return None
    times = int(queries) if queries.isascii() and queries.isdecimal() and len(queries) < 10 else 1
    return estimate(dataset.price.terms, dataset.columns, chosen=chosen, queries=times)


handlers = [show_catalogue, show_dataset, show_related]
