"""HTTP face of the regulator's work: search over the log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import delete, get, post
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Reader
from marketplace.accounts.seats import Seats
from marketplace.audit.api import viewer_of
from marketplace.calendar import bound
from marketplace.config import Config
from marketplace.db.cursor import PAGE_ROWS
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Invalid
from marketplace.oversight.exporting import export_stream
from marketplace.oversight.forms import FormName
from marketplace.oversight.saved import NewSearch, SearchList, remove_search, save_search, saved_searches
from marketplace.oversight.search import Outcome, Search, StateClass, SubjectClass
from marketplace.oversight.viewing import MAX_ROWS, EventPage, view_events

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_ROWS)]
Words = Annotated[str | None, QueryParameter(max_length=200)]
Dong = Annotated[int | None, QueryParameter(ge=0, le=2**53)]


@get("/api/v1/audit/events", operation_id="listEvents")
async def list_events(
    session: AsyncSession,
    caller: Caller,
    dataset_id: UUID | None = None,
    query_id: UUID | None = None,
    agreement_id: UUID | None = None,
    name: Words = None,
    organisation: UUID | None = None,
    person: UUID | None = None,
    purpose: Words = None,
    subject_class: SubjectClass | None = None,
    state_class: StateClass | None = None,
    decision: Outcome | None = None,
    code: Words = None,
    since: Annotated[str | None, QueryParameter(name="from", max_length=40)] = None,
    until: Annotated[str | None, QueryParameter(name="to", max_length=40)] = None,
    min_vnd: Dong = None,
    max_vnd: Dong = None,
    q: Words = None,
    cursor: str | None = None,
    limit: Limit = PAGE_ROWS,
) -> EventPage:
    """Events that concern the caller's organisation, newest first; the regulator sees all, and that is logged too.

    `from`, `to`: instants with a zone, or days of Viet Nam, both of which are included.
    `q`: words, with or without diacritics, each beginning a word of the event, its dataset's or a party's name.
    """
    search = Search(
        dataset_id=dataset_id,
        query_id=query_id,
        agreement_id=agreement_id,
        name=name,
        organisation_id=organisation,
        person_id=person,
        purpose=purpose,
        subject_class=subject_class,
        state_class=state_class,
        decision=decision,
        code=code,
        since=_instant(since, "from"),
        until=_instant(until, "to", days=1),
        min_vnd=min_vnd,
        max_vnd=max_vnd,
        q=q,
    )
    return await view_events(session, viewer_of(caller), search, cursor=cursor, limit=limit)


def _instant(written: str | None, path: str, *, days: int = 0) -> datetime | None:
    """`days`: after the beginning of a day."""
    try:
        return bound(written, days=days) if written else None
    except ValueError as error:
        raise Invalid(errors=[{"path": path, "code": "request.instant", "params": {}}]) from error


class ExportAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    form: FormName = "ndjson"
    search: Search = Search()


@post("/api/v1/audit/exports", status_code=200, operation_id="exportEvents")
async def export_events(
    caller: Caller, database: Database, config: Config, keys: Keys, exports: Seats, data: ExportAsked
) -> Stream:
    """A zip of what a search finds and a manifest: query, count, hash, the log's head. Two events tell of it."""
    viewer = viewer_of(caller)
    return await export_stream(database, config, keys, exports, viewer, data.search, data.form)


@get("/api/v1/audit/searches", operation_id="listSearches")
async def list_searches(session: AsyncSession, reader: Reader) -> SearchList:
    """Searches that the reader keeps, and those that others of the organisation share."""
    reader.require("audit")
    return await saved_searches(session, reader)


@post("/api/v1/audit/searches", operation_id="saveSearch")
async def post_search(session: AsyncSession, reader: Reader, data: NewSearch) -> SearchList:
    """Keep a search under a name; all that are kept."""
    reader.require("audit")
    await save_search(session, asked=data, by=reader)
    return await saved_searches(session, reader)


@delete("/api/v1/audit/searches/{search_id:uuid}", operation_id="removeSearch")
async def delete_search(session: AsyncSession, reader: Reader, search_id: UUID) -> None:
    """Remove a search of one's own."""
    reader.require("audit")
    await remove_search(session, search_id=search_id, by=reader)


handlers: list[ControllerRouterHandler] = [list_events, export_events, list_searches, post_search, delete_search]
