"""Reading the log a page at a time; whoever reads across tenants leaves an event too."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.audit.reads import EventView, Filter, Viewer, events
from marketplace.db.base import EPOCH
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor

MAX_ROWS = 500


class EventPage(msgspec.Struct, frozen=True):
    """Newest first; `next` is the cursor of the next page, None on the last."""

    items: tuple[EventView, ...]
    next: str | None


async def view_events(
    session: AsyncSession, viewer: Viewer, chosen: Filter, *, cursor: str | None = None, limit: int = PAGE_ROWS
) -> EventPage:
    """One page of what the viewer may see. Raises Invalid for a cursor that is not ours."""
    before = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else None
    found = await events(session, viewer, chosen, before=before, limit=limit + 1)
    shown, last = cut(found, limit)
    if viewer.sees_all:
        await _leave_trace(session, viewer, chosen, len(shown))
    following = encode_cursor(_instant(last.at), last.id) if last is not None else None
    return EventPage(tuple(shown), following)


async def _leave_trace(session: AsyncSession, viewer: Viewer, chosen: Filter, count: int) -> None:
    await record(
        session,
        "log:read",
        actor_person_id=viewer.person_id,
        actor_organisation_id=viewer.organisation_id,
        parties=(viewer.organisation_id,),
        body={"filter": chosen, "events": count, "view": viewer.view},
    )


def _instant(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at_ms)
