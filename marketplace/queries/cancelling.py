"""Ending a query that its owner no longer wants, wherever it is: waiting, in a jail, or answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.audit.actions import record
from marketplace.errors import NotFound, Unavailable
from marketplace.queries.errors import NotNamed
from marketplace.queries.services import Services, task_name

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often a process looks for its queries that were cancelled through another one."""
WAIT_S = 5.0
"""How long a cancelled query is waited for: ending a jail's child takes milliseconds."""

FOUND = text("""
select q.state, q.person_id, q.cancel_asked_at, q.purpose, q.result_sha256, l.owner_id, a.partner_id, l.dataset_id,
       l.agreement_id, l.version_id, l.revision, a.people
from query q join query_line l on l.query_id = q.id join agreement a on a.id = l.agreement_id
where q.id = :id and q.organisation_id = :organisation order by l.agreement_id for update of q
""")
ASKED = text("update query set cancel_asked_at = now() where id = :id")
ERASED = text("""
with gone as (delete from query_result where query_id = :id),
     forgotten as (delete from private_answer where query_id = :id)
update query set state = 'cancelled', result_expires_at = now(),
    failure = '{"code": "query.answer_erased", "params": {}}' where id = :id
""")
MINE = text("""
select id from query where runner = :runner and state in ('queued', 'running') and cancel_asked_at is not null
""")


async def cancel(services: Services, *, caller: Caller, query_id: UUID) -> None:
    """End it: free while it waits, at its quote once it is in a jail; an answer is erased. Again, it does nothing.

    Raises NotFound, NotNamed (a colleague's query under an agreement that does not name the caller).
    """
    async with services.database.session() as session:
        state = await mark_cancelled(session, caller=caller, query_id=query_id)
    if state == "ready":
        await asyncio.to_thread(services.answers.erase, query_id)
    elif (place := services.turns.place_of(query_id)) is not None:
        place.stop()
    name = task_name(query_id)
    if mine := {task for task in services.running if task.get_name() == name}:
        await asyncio.wait(mine, timeout=WAIT_S)


async def mark_cancelled(session: AsyncSession, *, caller: Caller, query_id: UUID) -> str:
    """Erase the answer, or leave the mark by which the query settles as cancelled. The state it was in."""
    whose = {"id": query_id, "organisation": caller.organisation_id}
    lines = (await session.execute(FOUND, whose)).all()
    if not lines or caller.organisation_kind != "startup":
        raise NotFound(what="query")
    first, state = lines[0], str(lines[0].state)
    if caller.person_id != first.person_id and not all(caller.person_id in line.people for line in lines):
        raise NotNamed
    if state == "ready":
        await session.execute(ERASED, {"id": query_id})
    elif state in ("queued", "running") and first.cancel_asked_at is None:
        await session.execute(ASKED, {"id": query_id})
    else:
        return state
    for line in lines:
        await record(session, "query:cancel", **_told(caller, line, query_id))
    return state


def _told(caller: Caller, line: Any, query_id: UUID) -> dict[str, Any]:
    """Each dataset's owners see it."""
    return {
        "actor_person_id": caller.person_id,
        "actor_organisation_id": caller.organisation_id,
        "parties": [each for each in (caller.organisation_id, line.owner_id, line.partner_id) if each],
        "dataset_id": line.dataset_id,
        "agreement_id": line.agreement_id,
        "query_id": query_id,
        "purpose": line.purpose,
        "version_id": line.version_id,
        "revision": line.revision,
        "body": {"state": line.state, "result_sha256": line.result_sha256},
    }


async def watch_cancelled(services: Services, stop: asyncio.Event) -> None:
    """Stop queries of this process that another one was asked to cancel, until `stop`."""
    while not stop.is_set():
        try:
            if services.running:
                async with services.database.reading() as session:
                    found = await session.execute(MINE, {"runner": services.runner.number})
                    for query_id in found.scalars():
                        if (place := services.turns.place_of(query_id)) is not None:
                            place.stop()
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("cancelled queries wait for the database: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)
