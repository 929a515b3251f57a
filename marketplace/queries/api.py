"""`/api/v1/queries`: parse, one verb of the walk or one read, answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_201_CREATED,
    HTTP_202_ACCEPTED,
    HTTP_206_PARTIAL_CONTENT,
)
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.allowance import PAGE
from marketplace.accounts.callers import Analyst, Caller
from marketplace.audit.api import Accepted
from marketplace.audit.receipt import served
from marketplace.db.keys import Keys
from marketplace.parameters import IdempotencyKey, Limit
from marketplace.queries import cancelling, reads, walk
from marketplace.queries.dry_run import DryRunView, dry_run
from marketplace.queries.explain import ExplainView, explain
from marketplace.queries.forms import FORMS
from marketplace.queries.progress import events
from marketplace.queries.quotes import quote_key
from marketplace.queries.release import released
from marketplace.queries.schemas import Ask, QueryPage, QueryView, QuoteView
from marketplace.queries.services import Services

EVENT_STREAM = "text/event-stream"
A_PART = {
    HTTP_206_PARTIAL_CONTENT: ResponseSpec(
        bytes,
        generate_examples=False,
        description="The bytes that Range asked for, in the form that Accept asked for.",
        media_type="application/octet-stream",
    )
}


@post("/api/v1/queries/quote", status_code=HTTP_200_OK, opt={"points": PAGE})
async def quote_query(data: Ask, analyst: Analyst, services: Services) -> QuoteView:
    """What a query would cost; decided like a query, holds nothing, runs nothing."""
    analyst.require("query")
    return await walk.quote(services, analyst, data)


@get("/api/v1/queries/quote/key", media_type="text/plain")
async def show_quote_key(services: Services) -> str:
    """The verifier key of signed quotes, as a C2SP note has it."""
    return f"{quote_key(services)}\n"


@post("/api/v1/queries/dry-run", status_code=HTTP_200_OK, opt={"points": PAGE})
async def try_query(data: Ask, analyst: Analyst, services: Services) -> DryRunView:
    """What it would read and cost, how it would be decided, and all that stands against it; stores nothing."""
    analyst.require("query")
    return await dry_run(services, analyst, data)


@post("/api/v1/queries/explain", status_code=HTTP_200_OK, opt={"points": PAGE})
async def explain_query(data: Ask, analyst: Analyst, services: Services) -> ExplainView:
    """Each gate that the query must pass on the dataset of the first agreement named, and why it holds or not;
    holds, runs and stores nothing."""
    analyst.require("query")
    return await explain(services, analyst, data)


@post("/api/v1/queries", opt={"points": PAGE})
async def run_query(
    data: Ask, analyst: Analyst, services: Services, idempotency_key: IdempotencyKey = None
) -> Response[QueryView]:
    """Run a query: 201 with the answer's row when it ends within `wait_s`, else 202 with Location."""
    analyst.require("query")
    walked = await walk.run(services, analyst, data, idempotency_key=idempotency_key)
    if walked.row is not None:
        view = reads.view(walked.row)
    else:
        async with services.database.reading() as session:
            view = await reads.query(session, caller=analyst, query_id=walked.query_id)
    done = view.state not in ("queued", "running")
    return Response(
        view,
        status_code=HTTP_201_CREATED if done else HTTP_202_ACCEPTED,
        headers={"Location": f"/api/v1/queries/{view.id}"},
    )


@get("/api/v1/queries")
async def list_queries(
    caller: Caller,
    session: AsyncSession,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> QueryPage:
    """The organisation's queries, newest first."""
    caller.require("read")
    return await reads.queries(session, caller=caller, limit=limit, before=cursor)


@get("/api/v1/queries/{query_id:uuid}")
async def show_query(query_id: UUID, caller: Caller, session: AsyncSession) -> QueryView:
    """One query of the caller's organisation."""
    caller.require("read")
    return await reads.query(session, caller=caller, query_id=query_id)


@get("/api/v1/queries/{query_id:uuid}/events", media_type=EVENT_STREAM)
async def watch_query(query_id: UUID, analyst: Analyst, services: Services) -> Stream:
    """Server-sent events `queued` (with its place), `running`, `settled`; the stream then ends by itself."""
    analyst.require("query")
    told = await events(services, caller=analyst, query_id=query_id)
    return Stream(told, media_type=EVENT_STREAM, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@delete("/api/v1/queries/{query_id:uuid}", status_code=HTTP_200_OK)
async def cancel_query(query_id: UUID, analyst: Analyst, services: Services) -> QueryView:
    """End a query, or erase its answer: how it stands then. Free while it waits, its quote once in a jail."""
    analyst.require("query")
    await cancelling.cancel(services, caller=analyst, query_id=query_id)
    async with services.database.reading() as session:
        return await reads.query(session, caller=analyst, query_id=query_id)


@get("/api/v1/queries/{query_id:uuid}/result", responses=A_PART)
async def fetch_result(
    query_id: UUID, analyst: Analyst, services: Services, request: Request[Any, Any, Any]
) -> Response[Any]:
    """The answer; Accept: application/json (default), text/csv, Parquet or an Arrow stream; whole or one Range."""
    analyst.require("query")
    media_type = request.accept.best_match(list(FORMS), default="application/json") or "application/json"
    return await released(
        services, caller=analyst, query_id=query_id, media_type=media_type, asked=request.headers, headers={}
    )


@get("/api/v1/queries/{query_id:uuid}/receipt")
async def fetch_receipt(
    query_id: UUID,
    caller: Caller,
    session: AsyncSession,
    keys: Keys,
    accepted: Accepted = None,
    dataset_id: UUID | None = None,
) -> Response[bytes]:
    """Decision, usage, price and proof of one dataset of a query (unless told, the first), in the caller's
    edition; as a C2SP tlog-proof where `Accept` is text/plain."""
    caller.require("read")
    receipt = await reads.receipt(session, keys, caller=caller, query_id=query_id, dataset_id=dataset_id)
    body, media_type = served(receipt, accepted)
    return Response(body, media_type=media_type)


handlers = [
    quote_query,
    show_quote_key,
    explain_query,
    run_query,
    list_queries,
    show_query,
    try_query,
    watch_query,
    cancel_query,
    fetch_result,
    fetch_receipt,
]
