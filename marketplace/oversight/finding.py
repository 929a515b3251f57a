"""Events that a search finds, newest first: those that no block holds yet row by row, then those of the index."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    ColumnExpressionArgument,
    Select,
    Uuid,
    any_,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from marketplace.audit.models import AuditLeaf, Event, EventSalt, PendingLeaf
from marketplace.audit.reads import EventView, Viewer, event_view
from marketplace.oversight.described import terms_by_event
from marketplace.oversight.index import indexed, leaves
from marketplace.oversight.search import Group, Search, groups, rows, untold

FRESH_ROWS = 1024
FIRST_ROWS = 64
MOST_ROWS = 1024


class Place(Struct, frozen=True):
    """Where a page ended. `ceiling`: leaves from there on, and events without one, came row by row, in the order
    of (at, id); below it come leaves, from `leaf` (not included) down. What gets its leaf between two pages is
    therefore neither skipped nor shown twice."""

    ceiling: int
    at: datetime | None = None
    event_id: UUID | None = None
    leaf: int | None = None


Found = tuple[EventView, Place]


async def found(
    session: AsyncSession, viewer: Viewer, search: Search, *, after: Place | None = None, below: int | None = None
) -> AsyncIterator[Found]:
    """Every event of the search after a place, each with its place. `below`: only leaves below it.

    Raises Forbidden."""
    asked = groups(viewer, search)
    ceiling = after.ceiling if after else 0 if search.names_one else await indexed(session)
    if below is not None:
        ceiling = min(ceiling, below)
    if after is None or after.leaf is None:
        async for each in _fresh(session, viewer, search, after or Place(ceiling), below):
            yield each
    if not search.names_one:
        start = ceiling if after is None or after.leaf is None else after.leaf
        async for each in _settled(session, viewer, search, asked, ceiling, start):
            yield each


async def first(events: AsyncIterator[Found], count: int) -> list[Found]:
    """No more of them than that."""
    read: list[Found] = []
    async for each in events:
        read.append(each)
        if len(read) == count:
            break
    return read


async def _fresh(
    session: AsyncSession, viewer: Viewer, search: Search, after: Place, below: int | None
) -> AsyncIterator[Found]:
    """What stands above the ceiling; of one event or query, all there is."""
    asked = untold(search)
    at, event_id = after.at, after.event_id
    while True:
        chunk = _above(viewer, search, ceiling=after.ceiling, below=below, before=(at, event_id) if at else None)
        read = (await session.execute(chunk)).all()
        ids = [row.id for row in read]
        if asked:
            terms = await terms_by_event(session, ids)
            ids = [each for each in ids if all(group.holds(terms[each]) for group in asked)]
        for row in await _shown(session, ids):
            yield _view(viewer, row), Place(after.ceiling, row[0].at, row[0].id)
        if len(read) < FRESH_ROWS:
            return
        at, event_id = read[-1].at, read[-1].id


def _above(
    viewer: Viewer, search: Search, *, ceiling: int, below: int | None, before: tuple[datetime, UUID | None] | None
) -> Select[UUID, datetime]:
    """Ids of events without a leaf, or with one from the ceiling on: found through the few that there are."""
    if search.names_one:
        event: type[Event] = Event
        query = select(event.id, event.at)
    else:
        late = select(AuditLeaf.event_id).where(AuditLeaf.index >= ceiling)
        some = late if below is not None else late.union_all(select(PendingLeaf.event_id))
        waiting = some.subquery()
        event = _each(waiting.c.event_id)
        query = select(event.id, event.at).select_from(waiting).join(event, true())
    if below is not None:
        query = query.join(AuditLeaf, AuditLeaf.event_id == event.id).where(AuditLeaf.index < below)
    if before is not None:
        query = query.where(tuple_(event.at, event.id) < before)
    return query.where(*rows(viewer, search, event)).order_by(event.at.desc(), event.id.desc()).limit(FRESH_ROWS)


def _each(event_id: ColumnExpressionArgument[UUID]) -> type[Event]:
    """The event of an id, looked up one by one: a planner that finds a condition on time or dataset more telling
    than a handful of ids would read a month of the log for them."""
    return aliased(Event, select(Event).where(Event.id == event_id).limit(1).lateral())


async def _shown(session: AsyncSession, ids: list[UUID]) -> Sequence[Any]:
    if not ids:
        return ()
    query = (
        select(Event, EventSalt.salt, AuditLeaf)
        .outerjoin(EventSalt, EventSalt.event_id == Event.id)
        .outerjoin(AuditLeaf, AuditLeaf.event_id == Event.id)
        .where(Event.id == any_(literal(ids, ARRAY(Uuid))))
        .order_by(Event.at.desc(), Event.id.desc())
    )
    return tuple(await session.execute(query))


async def _settled(
    session: AsyncSession, viewer: Viewer, search: Search, asked: Sequence[Group], ceiling: int, start: int
) -> AsyncIterator[Found]:
    batch: list[int] = []
    size = MOST_ROWS if _is_rough(search) else FIRST_ROWS
    async for leaf in leaves(session, asked, below=start, since=search.since, until=search.until):
        batch.append(leaf)
        if len(batch) == size:
            async for row in _read(session, viewer, search, batch):
                yield _view(viewer, row), Place(ceiling, leaf=row[2].index)
            batch, size = [], min(size * 2, MOST_ROWS)
    async for row in _read(session, viewer, search, batch):
        yield _view(viewer, row), Place(ceiling, leaf=row[2].index)


def _is_rough(search: Search) -> bool:
    """Whether the index gives more than fits: it knows times by block and amounts by bucket."""
    bounds = (search.since, search.until, search.min_vnd, search.max_vnd)
    return any(bound is not None for bound in bounds)


async def _read(session: AsyncSession, viewer: Viewer, search: Search, batch: list[int]) -> AsyncIterator[Any]:
    """Of these leaves those that fit the search to the letter."""
    event = _each(AuditLeaf.event_id)
    fits = select(AuditLeaf.index).select_from(AuditLeaf).join(event, true()).order_by(AuditLeaf.index.desc())
    fits = fits.where(*rows(viewer, search, event))
    whole = fits.with_only_columns(event, EventSalt.salt, AuditLeaf)
    whole = whole.outerjoin(EventSalt, EventSalt.event_id == event.id)
    if _is_rough(search) and batch:
        batch = list(await session.scalars(fits.where(_among(batch))))
    for first in range(0, len(batch), FIRST_ROWS):
        for row in await session.execute(whole.where(_among(batch[first : first + FIRST_ROWS]))):
            yield row


def _among(leaves: list[int]) -> ColumnElement[bool]:
    return AuditLeaf.index == any_(literal(leaves, ARRAY(BigInteger)))


def _view(viewer: Viewer, row: Any) -> EventView:
    return event_view(viewer, row[0], salt=row[1], leaf=row[2])
