"""`/api/v1/watches` and `/api/v1/demands`: be told of changes, ask for what is not there."""

from __future__ import annotations

from uuid import UUID

from litestar import delete, get, post
from litestar.status_codes import HTTP_200_OK
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Startup
from marketplace.db.base import utcnow
from marketplace.finding.demand import Board, DemandBody, ask_for, close_demand, read_board, vote_for
from marketplace.finding.watching import WatchBody, Watched, add_watch, mark_read, read_watched, remove_watch
from marketplace.parameters import IdempotencyKey


@get("/api/v1/watches", operation_id="listWatches")
async def get_watches(session: AsyncSession, caller: Caller) -> Watched:
    """What the caller watches, and the newest notices."""
    caller.require("read")
    return await read_watched(session, person_id=caller.person_id)


@post("/api/v1/watches", status_code=HTTP_200_OK, operation_id="addWatch")
async def post_watch(session: AsyncSession, caller: Caller, data: WatchBody) -> Watched:
    """Watch a dataset or a search; the same again changes nothing."""
    caller.require("read")
    await add_watch(session, asked=data, by=caller, at=utcnow())
    return await read_watched(session, person_id=caller.person_id)


@delete("/api/v1/watches/{watch_id:uuid}", status_code=HTTP_200_OK, operation_id="removeWatch")
async def delete_watch(session: AsyncSession, caller: Caller, watch_id: UUID) -> Watched:
    """Watch it no more; its notices go too."""
    caller.require("read")
    await remove_watch(session, watch_id=watch_id, by=caller)
    return await read_watched(session, person_id=caller.person_id)


@post("/api/v1/notices/read", status_code=HTTP_200_OK, operation_id="readNotices")
async def post_read(session: AsyncSession, caller: Caller) -> Watched:
    """All notices so far are read."""
    caller.require("read")
    await mark_read(session, by=caller, at=utcnow())
    return await read_watched(session, person_id=caller.person_id)


@get("/api/v1/demands", operation_id="listDemands")
async def get_demands(session: AsyncSession, caller: Caller) -> Board:
    """Datasets that are asked for, with their votes."""
    caller.require("read")
    return await read_board(session, caller=caller)


@post("/api/v1/demands", status_code=HTTP_200_OK, operation_id="askForDataset")
async def post_demand(
    session: AsyncSession, startup: Startup, data: DemandBody, idempotency_key: IdempotencyKey = None
) -> Board:
    """Ask for a dataset that is not there. Same Idempotency-Key and body: asked once."""
    startup.require("agree")
    await ask_for(session, asked=data, by=startup, at=utcnow(), key=idempotency_key)
    return await read_board(session, caller=startup)


@post("/api/v1/demands/{demand_id:uuid}/votes", status_code=HTTP_200_OK, operation_id="voteForDataset")
async def post_vote(session: AsyncSession, startup: Startup, demand_id: UUID) -> Board:
    """The caller's organisation would use it too; again changes nothing."""
    startup.require("agree")
    await vote_for(session, demand_id=demand_id, by=startup, at=utcnow())
    return await read_board(session, caller=startup)


@post("/api/v1/demands/{demand_id:uuid}/close", status_code=HTTP_200_OK, operation_id="closeDemand")
async def post_close(session: AsyncSession, caller: Caller, demand_id: UUID) -> Board:
    """It is there now, or nobody needs it any more: by who asked, or the operator."""
    caller.require("agree")
    await close_demand(session, demand_id=demand_id, by=caller, at=utcnow())
    return await read_board(session, caller=caller)


handlers: list[ControllerRouterHandler] = [
    get_watches, post_watch, delete_watch, post_read, get_demands, post_demand, post_vote, post_close,
]  # fmt: skip
