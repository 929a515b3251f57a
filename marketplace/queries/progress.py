"""How a query gets on, told as it changes: server-sent events (WHATWG HTML §9.2), for whoever may see the query.

A reader who takes its time holds nothing but its connection: what this process runs is read from its memory, the
rest from the row, one read at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
from msgspec import Struct

from marketplace.accounts.callers import Caller
from marketplace.accounts.seats import Seat
from marketplace.queries import reads
from marketplace.queries.schemas import QueryView
from marketplace.queries.services import Services

LOOK_S = 1.0
HEARTBEAT_S = 15.0
"""Proxies take a connection that says nothing for dead."""
LIFETIME_S = 600.0
"""Then the reader connects again, and shows again who it is."""
OPEN = ("queued", "running")


class Progress(Struct, frozen=True, kw_only=True):
    """`place`: of a query that waits here, about its number among its organisation's own waiting queries."""

    id: UUID
    state: str
    place: int | None = None
    charged_vnd: int | None = None
    rows: int | None = None
    failure: str | None = None


async def events(services: Services, *, caller: Caller, query_id: UUID) -> AsyncIterator[bytes]:
    """Events named by the state, each with a Progress as JSON; the last one is `settled`.

    Raises NotFound, Forbidden, TooManyReaders, before anything is sent.
    """
    seat = services.readers.take(caller.organisation_id)
    try:
        first = await _stored(services, caller, query_id)
    except BaseException:
        seat.leave()
        raise
    return _told(services, caller, query_id, first, seat)


async def _told(
    services: Services, caller: Caller, query_id: UUID, first: QueryView, seat: Seat
) -> AsyncIterator[bytes]:
    try:
        over, heard, last = time.monotonic() + LIFETIME_S, time.monotonic(), None
        now = _live(services, query_id) or _progress(first)
        while True:
            if now != last:
                yield _event(now)
                last, heard = now, time.monotonic()
            if now.state not in OPEN or time.monotonic() > over:
                return
            await _change(services, query_id)
            now = _live(services, query_id) or _progress(await _stored(services, caller, query_id))
            if time.monotonic() - heard > HEARTBEAT_S:
                yield b": .\n\n"
                heard = time.monotonic()
    finally:
        seat.leave()


def _live(services: Services, query_id: UUID) -> Progress | None:
    """Of a query that this process runs; once its task has ended, the row tells more."""
    if not _tasks(services, query_id):
        return None
    place = services.turns.place_of(query_id)
    if place is not None and place.waits:
        return Progress(id=query_id, state="queued", place=place.number)
    return Progress(id=query_id, state="running")


async def _stored(services: Services, caller: Caller, query_id: UUID) -> QueryView:
    async with services.database.reading() as session:
        return await reads.query(session, caller=caller, query_id=query_id)


def _progress(view: QueryView) -> Progress:
    return Progress(
        id=view.id,
        state=view.state,
        charged_vnd=view.charged_vnd,
        rows=view.rows,
        failure=view.failure.code if view.failure else None,
    )


async def _change(services: Services, query_id: UUID) -> None:
    """Until it ends here, or a moment."""
    if tasks := _tasks(services, query_id):
        await asyncio.wait(tasks, timeout=LOOK_S)
    else:
        await asyncio.sleep(LOOK_S)


def _tasks(services: Services, query_id: UUID) -> set[asyncio.Task[object]]:
    name = f"query {query_id}"
    return {task for task in services.running if task.get_name() == name}


def _event(progress: Progress) -> bytes:
    name = progress.state if progress.state in OPEN else "settled"
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(progress) + b"\n\n"
