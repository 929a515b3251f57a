"""Reading the log a page at a time; whoever reads across tenants leaves an event too."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.audit.reads import EventView, Viewer
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.oversight.finding import Place, first, found
from marketplace.oversight.search import Search, require_known

MAX_ROWS = 500


class EventPage(Struct, frozen=True):
    """Newest first; `next` is the cursor of the next page, None on the last."""

    items: tuple[EventView, ...]
    next: str | None


async def view_events(
    session: AsyncSession, viewer: Viewer, search: Search, *, cursor: str | None = None, limit: int = PAGE_ROWS
) -> EventPage:
    """One page of what the viewer may see. Raises Invalid for a cursor that is not ours or the name of no event,
    Forbidden."""
    require_known(search)
    after = _place(cursor) if cursor else None
    read = await first(found(session, viewer, search, after=after), limit + 1)
    shown, last = cut(read, limit)
    if viewer.sees_all:
        await _leave_trace(session, viewer, search, len(shown))
    following = encode_cursor(last[1].ceiling, last[1].at, last[1].event_id, last[1].leaf) if last else None
    return EventPage(tuple(event for event, _ in shown), following)


def _place(cursor: str) -> Place:
    return Place(*decode_cursor(cursor, tuple[int, datetime | None, UUID | None, int | None]))


async def _leave_trace(session: AsyncSession, viewer: Viewer, search: Search, count: int) -> None:
    await record(
        session,
        "log:read",
        actor_person_id=viewer.person_id,
        actor_organisation_id=viewer.organisation_id,
        parties=(viewer.organisation_id,),
        body={"filter": search.told, "events": count, "view": viewer.view},
        secrets=search.secrets,
    )
