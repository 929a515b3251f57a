"""The rows of stages, and the states that the exchange itself brings a publication to."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.pipeline.record import Stage, StageRecord
from marketplace.db.base import utcnow
from marketplace.publications.errors import PublicationWrongState
from marketplace.publications.machine import AT_WORK, TRANSITIONS, Verb
from marketplace.publications.models import PublicationRow, PublicationStage
from marketplace.publications.tasks import due

ATTEMPTS_MAX: Final = 5
"""A stage in which the process dies as often is not begun again by itself."""


async def locked(session: AsyncSession, publication_id: UUID) -> PublicationRow:
    """The row as it is now, until the transaction ends."""
    rows = select(PublicationRow).where(PublicationRow.id == publication_id).with_for_update()
    return (await session.execute(rows.execution_options(populate_existing=True))).scalar_one()


def step(row: PublicationRow, verb: Verb) -> None:
    """Raises PublicationWrongState."""
    state = TRANSITIONS.get((row.state, verb))
    if state is None:
        raise PublicationWrongState(state=row.state, verb=verb)
    row.state, row.changed_at = state, utcnow()
    row.due_at, row.told_overdue = due(state, row.changed_at), False


async def begin_stage(session: AsyncSession, publication_id: UUID, stage: Stage) -> bool:
    """Whether the stage may run: somebody may have cancelled, or the process died in it too often."""
    row = await locked(session, publication_id)
    if row.state not in AT_WORK:
        return False
    mine = await session.get(PublicationStage, (publication_id, stage))
    died = mine.attempts if mine is not None and mine.ended_at is None else 0
    if died >= ATTEMPTS_MAX:
        row.problem = {"code": "publication.died_often", "params": {"times": died}}
        step(row, "fail")
        return False
    running = StageRecord(stage=stage, state="running")
    began = {"body": _body(running), "attempts": died + 1, "began_at": utcnow(), "ended_at": None}
    await _write(session, publication_id, stage, began)
    return True


async def end_stage(session: AsyncSession, publication_id: UUID, record: StageRecord) -> bool:
    """Keep how it went; whether the next may begin."""
    await _write(session, publication_id, record.stage, {"body": _body(record), "ended_at": utcnow()})
    row = await locked(session, publication_id)
    if row.state not in AT_WORK:
        return False
    if record.state == "passed":
        return True
    row.problem = None
    step(row, "stop" if record.state == "stopped" else "fail")
    return False


async def uncount_attempt(session: AsyncSession, publication_id: UUID, stage: Stage) -> None:
    """It is the service's own stop that may end the stage which runs."""
    rows = update(PublicationStage).values(attempts=PublicationStage.attempts - 1)
    mine = (PublicationStage.publication_id == publication_id, PublicationStage.stage == stage)
    await session.execute(rows.where(*mine, PublicationStage.ended_at.is_(None)))


async def forget_stages(session: AsyncSession, publication_id: UUID) -> None:
    """They begin again: what is still whole and of the same is found so, and not run."""
    rows = select(PublicationStage).where(PublicationStage.publication_id == publication_id)
    for each in await session.scalars(rows):
        each.attempts, each.ended_at = 0, utcnow()


async def _write(session: AsyncSession, publication_id: UUID, stage: Stage, values: dict[str, Any]) -> None:
    first = {"attempts": 1, "began_at": utcnow(), **values}
    row = insert(PublicationStage).values(publication_id=publication_id, stage=stage, **first)
    await session.execute(row.on_conflict_do_update(index_elements=["publication_id", "stage"], set_=values))


def _body(record: StageRecord) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(record)
    return body
