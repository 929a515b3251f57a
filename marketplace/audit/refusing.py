"""Events that were put into the database by somebody who holds no key of the home: refused, or let in by hand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record, recorded
from marketplace.audit.canonical import exact
from marketplace.audit.commitment import commitment
from marketplace.audit.errors import NotAdmitted
from marketplace.audit.models import AuditLeaf, Event, EventSalt, PendingLeaf
from marketplace.audit.reads import event_of
from marketplace.audit.tag import is_ours, tagged
from marketplace.db.engine import Database
from marketplace.db.together import Statement, Unit, perform

NAMED = 50
"""So many are named in one event; the nightly audit names every one."""
WAIT_NO_MORE = text("DELETE FROM pending_leaf WHERE event_id = ANY(:ids)")
_AGAIN = text("""
    DELETE FROM pending_leaf USING audit_leaf WHERE audit_leaf.event_id = pending_leaf.event_id
    RETURNING pending_leaf.event_id
""")
_WAIT = text("INSERT INTO pending_leaf (event_id, tag) VALUES (:id, :tag)")
_log = logging.getLogger(__name__)


async def ours(unit: Unit, events: Sequence[Any], key: bytes) -> list[Any]:
    """Those that a process of this home recorded. The others wait no more, get no leaf, and an event names them.

    `key`: of `Keys.event_tag`."""
    kept = [each for each in events if is_ours(key, each.id, each.commitment, each.tag)]
    if len(kept) == len(events):
        return kept
    known = {each.id for each in kept}
    refused = [each.id for each in events if each.id not in known]
    await unit.send([Statement(WAIT_NO_MORE, {"ids": refused}), _told(refused)])
    return kept


async def refuse_again(database: Database) -> bool:
    """Take from the queue what has its leaf, and was put there once more; whether anything was."""
    async with database.unit() as unit:
        (again,) = await unit.send([Statement(_AGAIN)])
        if again:
            await unit.send([_told([each.event_id for each in again])])
    return bool(again)


def _told(refused: Sequence[UUID]) -> Statement:
    _log.critical("%d events were put into the database and get no leaf: %s", len(refused), refused[:NAMED])
    return recorded("log:refuse", body={"count": len(refused), "events": refused[:NAMED]})


async def admit(session: AsyncSession, event_id: UUID, *, reason: str) -> None:
    """Let a refused event wait for its leaf after all, and record that. Raises NotAdmitted.

    For what is ours and could not show it: of a service from before there were tags, or of a key that was lost."""
    found = (
        await session.execute(
            select(Event, EventSalt.salt)
            .outerjoin(EventSalt, EventSalt.event_id == Event.id)
            .where(
                Event.id == event_id,
                ~select(AuditLeaf.index).where(AuditLeaf.event_id == event_id).exists(),
                ~select(PendingLeaf.event_id).where(PendingLeaf.event_id == event_id).exists(),
            )
        )
    ).first()
    if found is None or found.salt is None:
        raise NotAdmitted
    event, salt = found
    if commitment(salt, exact(event_of(event))) != event.commitment:
        raise NotAdmitted
    await perform(session, Statement(_WAIT, {"id": event_id}, tagged(event_id, event.commitment)))
    await record(session, "log:admit", body={"event": event_id, "reason": reason})
