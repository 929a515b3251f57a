"""HTTP face of the regulator's work: search over the log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.params import Parameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.audit.api import viewer_of
from marketplace.db.cursor import PAGE_ROWS
from marketplace.errors import Invalid
from marketplace.oversight.search import Outcome, Search, StateClass, SubjectClass
from marketplace.oversight.viewing import MAX_ROWS, EventPage, view_events

Limit = Annotated[int, Parameter(ge=1, le=MAX_ROWS)]
Words = Annotated[str | None, Parameter(max_length=200)]
Dong = Annotated[int | None, Parameter(ge=0, le=2**53)]


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
    since: Annotated[datetime | None, Parameter(query="from")] = None,
    until: Annotated[datetime | None, Parameter(query="to")] = None,
    min_vnd: Dong = None,
    max_vnd: Dong = None,
    q: Words = None,
    cursor: str | None = None,
    limit: Limit = PAGE_ROWS,
) -> EventPage:
    """Events that concern the caller's organisation, newest first; the regulator sees all, and that is logged too.

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
        until=_instant(until, "to"),
        min_vnd=min_vnd,
        max_vnd=max_vnd,
        q=q,
    )
    return await view_events(session, viewer_of(caller), search, cursor=cursor, limit=limit)


def _instant(at: datetime | None, path: str) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise Invalid(errors=[{"path": path, "code": "request.instant", "params": {}}])
    return at


handlers: list[ControllerRouterHandler] = [list_events]
