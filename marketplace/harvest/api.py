"""`/api/v1/harvest`: the operator's; `/api/v1/external`: everybody's."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import delete, get, post
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.harvest.actions import add_source, make_due, stop_source
from marketplace.harvest.reads import external_listings, runs, sources
from marketplace.harvest.schemas import ExternalList, NewSourceBody, RunList, SourceList, SourceView
from marketplace.parameters import Cursor

Question = Annotated[str | None, QueryParameter(name="q", required=False, max_length=200)]


@get("/api/v1/external", operation_id="listExternal")
async def get_external(session: AsyncSession, q: Question = None, cursor: Cursor = None) -> ExternalList:
    """What other catalogues list, all or what a search finds: descriptions without data, not sold here."""
    return await external_listings(session, q=q or "", cursor=cursor)


@get("/api/v1/harvest/sources", operation_id="listHarvestSources")
async def get_sources(session: AsyncSession, operator: Operator) -> SourceList:
    """The other catalogues."""
    operator.require("read")
    return await sources(session)


@post("/api/v1/harvest/sources", operation_id="addHarvestSource")
async def post_source(
    session: AsyncSession, operator: Operator, config: Config, data: NewSourceBody
) -> SourceView:
    """Add one; it is looked at soon. One that was stopped goes on."""
    operator.require("publish")
    source_id = await add_source(session, asked=data, by=operator, at=utcnow(), config=config)
    return next(each for each in (await sources(session)).items if each.id == source_id)


@delete("/api/v1/harvest/sources/{source_id:uuid}", operation_id="stopHarvestSource")
async def delete_source(session: AsyncSession, operator: Operator, source_id: UUID) -> None:
    """Stop it; what it listed is shown no more."""
    operator.require("publish")
    await stop_source(session, source_id=source_id, by=operator)


@post("/api/v1/harvest/sources/{source_id:uuid}/runs", status_code=202, operation_id="runHarvestSource")
async def post_run(session: AsyncSession, operator: Operator, source_id: UUID) -> None:
    """Look at it as soon as the background work comes round."""
    operator.require("publish")
    await make_due(session, source_id=source_id, at=utcnow())


@get("/api/v1/harvest/sources/{source_id:uuid}/runs", operation_id="listHarvestRuns")
async def get_runs(session: AsyncSession, operator: Operator, source_id: UUID) -> RunList:
    """The reports of one, newest first."""
    operator.require("read")
    return await runs(session, source_id=source_id)


handlers: list[ControllerRouterHandler] = [
    get_external,
    get_sources,
    post_source,
    delete_source,
    post_run,
    get_runs,
]
