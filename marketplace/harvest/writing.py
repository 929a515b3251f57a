"""What a page of another catalogue changes here. Twice the same page changes nothing the second time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import CursorResult, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.metadata.reading.external import External
from marketplace.db.base import new_id
from marketplace.harvest.models import ExternalListing
from marketplace.harvest.searching import words_of
from marketplace.search.indexing import edition


class Written(Struct, frozen=True, kw_only=True):
    """`returned`: had vanished, and are there again, changed or not."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    returned: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(**{name: getattr(self, name) + getattr(other, name) for name in Written.__struct_fields__})


async def write_listings(
    session: AsyncSession, listings: Sequence[External], *, source_id: UUID, run_id: UUID, at: datetime
) -> Written:
    """A page. One that this run has written before counts once more only if it says something else."""
    known = {
        row.foreign_id: row
        for row in await session.scalars(
            select(ExternalListing).where(
                ExternalListing.source_id == source_id,
                ExternalListing.foreign_id.in_([each.id for each in listings]),
            )
        )
    }
    counted = dict.fromkeys(Written.__struct_fields__, 0)
    for each in listings:
        row = known.get(each.id)
        if row is None:
            row = ExternalListing(id=new_id(), source_id=source_id, foreign_id=each.id, first_seen_at=at)
            counted["new"] += 1
            _tell(row, each, at)
            session.add(row)
        elif row.sha256 != each.sha256:
            counted["changed"] += 1
            _tell(row, each, at)
        elif row.run_id != run_id:
            counted["unchanged"] += 1
        if row.vanished_at is not None:
            counted["returned"] += 1
        row.run_id, row.vanished_at = run_id, None
    await session.flush()
    return Written(**counted)


def _tell(row: ExternalListing, said: External, at: datetime) -> None:
    for name, value in msgspec.structs.asdict(said).items():
        if name not in ("id", "name"):
            setattr(row, name, list(value) if isinstance(value, tuple) else value)
    row.foreign_name, row.sha256, row.changed_at = said.name, said.sha256, at
    row.words, row.edition = words_of(
        title=said.title, description=said.description, publisher=said.publisher,
        themes=said.themes, formats=said.formats, spatial=said.spatial,
    ), edition()  # fmt: skip


async def still_there(session: AsyncSession, names: Sequence[str], *, source_id: UUID, run_id: UUID) -> Written:
    """Listings that another catalogue names, without telling them again."""
    named = (
        update(ExternalListing)
        .where(
            ExternalListing.source_id == source_id,
            ExternalListing.foreign_name.in_(names),
            ExternalListing.run_id != run_id,
            ExternalListing.vanished_at.is_(None),
        )
        .values(run_id=run_id)
    )
    return Written(unchanged=await _changed(session, named))


async def mark_vanished(session: AsyncSession, *, source_id: UUID, run_id: UUID, at: datetime) -> int:
    """Those that a whole run did not see. How many."""
    gone = (
        update(ExternalListing)
        .where(
            ExternalListing.source_id == source_id,
            ExternalListing.run_id != run_id,
            ExternalListing.vanished_at.is_(None),
        )
        .values(vanished_at=at)
    )
    return await _changed(session, gone)


async def _changed(session: AsyncSession, statement: object) -> int:
    done = await session.execute(statement)  # type: ignore[call-overload]
    assert isinstance(done, CursorResult)
    return int(done.rowcount)
