"""The startup's queries: the list, one with its answer, its files and its receipt."""

from __future__ import annotations

import uuid
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Analyst, Caller, Startup
from marketplace.audit.receipt import encode
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.queries import reads
from marketplace.queries.cancelling import cancel
from marketplace.queries.release import released
from marketplace.queries.services import Services
from marketplace.web.answer import of_query
from marketplace.web.headers import as_file, file_headers
from marketplace.web.view import View

MEDIA_TYPES: Final = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}


@get("/queries")
async def show_queries(
    view: View, startup: Startup, session: AsyncSession, cursor: uuid.UUID | None = None
) -> Template:
    """The organisation's queries, newest first."""
    return view.page("queries.html", listed=await reads.queries(session, caller=startup, before=cursor))


@get("/queries/{query_id:uuid}")
async def show_query(
    view: View, analyst: Analyst, session: AsyncSession, services: Services, query_id: uuid.UUID
) -> Template:
    """One query: what was decided, what it cost, its answer; htmx, which waits for it, gets the answer alone."""
    answer = await of_query(view, session, analyst, query_id, services)
    return view.page("_query.html" if view.partial else "query.html", answer=answer)


@get("/queries/{query_id:uuid}/result/{kind:str}")
async def download(
    analyst: Analyst,
    services: Services,
    request: Request[Any, Any, Any],
    query_id: uuid.UUID,
    kind: str,
) -> Response[Any]:
    """The answer as a file; a browser that lost the connection goes on where it was."""
    if kind not in MEDIA_TYPES:
        raise NotFound
    return await released(
        services,
        caller=analyst,
        query_id=query_id,
        media_type=MEDIA_TYPES[kind],
        asked=request.headers,
        headers=file_headers(f"{query_id}.{kind}"),
    )


@get("/queries/{query_id:uuid}/receipt")
async def download_receipt(
    caller: Caller, session: AsyncSession, keys: Keys, query_id: uuid.UUID, dataset_id: uuid.UUID | None = None
) -> Response[bytes]:
    """The receipt on one of the query's datasets in the caller's edition, for `sandulieu audit verify`."""
    caller.require("read")
    receipt = await reads.receipt(session, keys, caller=caller, query_id=query_id, dataset_id=dataset_id)
    return as_file(encode(receipt), "application/json", f"receipt-{receipt.decision_id}.json")


@post("/queries/{query_id:uuid}/cancel", status_code=303)
async def end_query(
    view: View,  # it checks the form's token
    analyst: Analyst,
    services: Services,
    query_id: uuid.UUID,
) -> Redirect:
    """End a query that waits or runs."""
    analyst.require("query")
    await cancel(services, caller=analyst, query_id=query_id)
    return Redirect(f"/queries/{query_id}?done=query_ended", status_code=303)


handlers = [show_queries, show_query, end_query, download, download_receipt]
