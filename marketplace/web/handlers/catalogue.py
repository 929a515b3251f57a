"""The catalogue and the page of a dataset: open to everybody."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import Parameter
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import utcnow
from marketplace.errors import NotFound
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.reads import read_dataset, read_waiting
from marketplace.offers.reads import offers_of
from marketplace.web.view import View


@get("/")
async def show_catalogue(
    view: View,
    session: AsyncSession,
    q: Annotated[str, Parameter(max_length=200)] = "",
    cursor: str | None = None,
) -> Template:
    """Datasets, all or those that match; htmx gets the list alone."""
    listed = await list_datasets(session, q=q, cursor=cursor)
    return view.page("_found.html" if view.partial else "catalogue.html", listed=listed, q=q.strip())


@get("/datasets/{slug:str}")
async def show_dataset(view: View, session: AsyncSession, slug: str) -> Template:
    """Everything that is said in public about one dataset, and to its owner who waits."""
    dataset = await read_dataset(session, slug)
    if dataset is None:
        raise NotFound
    waiting = None
    if view.caller is not None and view.caller.organisation_kind == "owner":
        waiting = await read_waiting(session, slug, owner_id=view.caller.organisation_id)
    offered = await offers_of(session, dataset_id=dataset.id, caller=view.caller, at=utcnow())
    offers = [offer for offer in offered.items if offer.state == "open"]
    return view.page("dataset.html", dataset=dataset, waiting=waiting, offers=offers)


handlers = [show_catalogue, show_dataset]
