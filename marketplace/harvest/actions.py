"""The operator's verbs on other catalogues."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.errors import NotFound
from marketplace.harvest.addresses import require_address
from marketplace.harvest.errors import SourceKnown
from marketplace.harvest.models import HarvestSource
from marketplace.harvest.schemas import NewSourceBody


async def add_source(
    session: AsyncSession, *, asked: NewSourceBody, by: Operator, at: datetime, config: Config
) -> UUID:
    """Due at once. One that was stopped goes on. Raises AddressRefused, SourceKnown."""
    url = require_address(asked.url.strip(), config)
    given = {
        "kind": asked.kind, "name": asked.name.strip(), "every_hours": asked.every_hours, "due_at": at,
        "added_by": by.person_id, "added_at": at, "etag": None, "last_modified": None, "seen_modified": None,
    }  # fmt: skip
    made = (
        insert(HarvestSource)
        .values(id=new_id(), url=url, **given)
        .on_conflict_do_update(
            index_elements=[HarvestSource.url], set_=given, where=HarvestSource.due_at.is_(None)
        )
        .returning(HarvestSource.id)
    )
    source_id: UUID | None = await session.scalar(made)
    if source_id is None:
        raise SourceKnown(url=url)
    await _record(session, "harvest:add", by, source_id, url, asked.kind)
    return source_id


async def stop_source(session: AsyncSession, *, source_id: UUID, by: Operator) -> None:
    """It is looked at no more, and what it listed is not shown. Raises NotFound."""
    source = await _going_on(session, source_id)
    source.due_at = None
    await session.flush()
    await _record(session, "harvest:stop", by, source.id, source.url, source.kind)


async def make_due(session: AsyncSession, *, source_id: UUID, at: datetime) -> None:
    """It is looked at as soon as the background work comes round. Raises NotFound."""
    source = await _going_on(session, source_id)
    source.due_at = at
    await session.flush()


async def _going_on(session: AsyncSession, source_id: UUID) -> HarvestSource:
    row = select(HarvestSource).where(HarvestSource.id == source_id, HarvestSource.due_at.is_not(None))
    source = await session.scalar(row.with_for_update())
    if source is None:
        raise NotFound
    return source


async def _record(session: AsyncSession, name: str, by: Operator, source_id: UUID, url: str, kind: str) -> None:
    await record(
        session,
        name,
        by=by,
        parties=(by.organisation_id,),
        body={"source": source_id, "url": url, "kind": kind},
    )
