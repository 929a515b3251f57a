"""What other catalogues list, and how their harvesting goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.errors import NotFound
from marketplace.harvest.models import ExternalListing, HarvestRun, HarvestSource
from marketplace.harvest.schemas import ExternalList, ExternalView, RunList, RunView, SourceList, SourceView
from marketplace.harvest.searching import Ranked, find_external
from marketplace.search.question import read_question

SHOWN_RUNS = 50
LAST_ID = UUID(int=2**128 - 1)
BEST = Ranked(float("inf"), LAST_ID)


async def external_listings(
    session: AsyncSession, *, q: str = "", cursor: str | None = None, limit: int = PAGE_ROWS
) -> ExternalList:
    """Those that `q` finds, the best first, or all, the latest found first; none that vanished or whose source was
    stopped. Raises Invalid for a cursor we did not give out."""
    if read_question(q).units:
        after = Ranked(*decode_cursor(cursor, tuple[float, UUID])) if cursor is not None else BEST
        found, last = cut(await find_external(session, q, after=after, limit=limit + 1), limit)
        rows = await _listed(session, ExternalListing.id.in_([each.id for each in found]))
        shown = {row.id: (row, name) for row, name in rows}
        return ExternalList(
            items=tuple(_external(*shown[each.id]) for each in found if each.id in shown),
            next=encode_cursor(last.score, last.id) if last else None,
        )
    (before,) = decode_cursor(cursor, tuple[UUID]) if cursor is not None else (LAST_ID,)
    newest, end = cut(await _listed(session, ExternalListing.id < before, limit=limit + 1), limit)
    return ExternalList(
        items=tuple(_external(row, name) for row, name in newest), next=encode_cursor(end[0].id) if end else None
    )


async def _listed(
    session: AsyncSession, which: ColumnElement[bool], *, limit: int | None = None
) -> list[tuple[ExternalListing, str]]:
    rows = (
        select(ExternalListing, HarvestSource.name)
        .join(HarvestSource, HarvestSource.id == ExternalListing.source_id)
        .where(which, ExternalListing.vanished_at.is_(None), HarvestSource.due_at.is_not(None))
        .order_by(ExternalListing.id.desc())
        .limit(limit)
    )
    return [(listing, name) for listing, name in await session.execute(rows)]


def _external(row: ExternalListing, source_name: str) -> ExternalView:
    fields = {name: getattr(row, name, None) for name in ExternalView.__struct_fields__}
    return msgspec.convert(fields | {"external": True, "source_name": source_name}, ExternalView)


async def sources(session: AsyncSession) -> SourceList:
    """All of them, by name."""
    there, gone = (
        func.count(ExternalListing.id).filter(ExternalListing.vanished_at.is_(None)),
        func.count(ExternalListing.id).filter(ExternalListing.vanished_at.is_not(None)),
    )
    rows = (
        select(HarvestSource, there, gone)
        .outerjoin(ExternalListing, ExternalListing.source_id == HarvestSource.id)
        .group_by(HarvestSource.id)
        .order_by(HarvestSource.name, HarvestSource.id)
    )
    return SourceList(
        items=tuple(
            _fitting(source, SourceView, listings=listings, vanished=vanished)
            for source, listings, vanished in await session.execute(rows)
        )
    )


async def runs(session: AsyncSession, *, source_id: UUID | None = None) -> RunList:
    """The newest reports, of one source or of all. Raises NotFound."""
    rows = select(HarvestRun).order_by(HarvestRun.began_at.desc(), HarvestRun.id.desc()).limit(SHOWN_RUNS)
    if source_id is not None:
        if await session.get(HarvestSource, source_id) is None:
            raise NotFound
        rows = rows.where(HarvestRun.source_id == source_id)
    return RunList(items=tuple(_fitting(run, RunView) for run in await session.scalars(rows)))


def _fitting(row: object, kind: Any, **more: Any) -> Any:
    fields = {name: getattr(row, name) for name in kind.__struct_fields__ if name not in more}
    return msgspec.convert(fields | more, kind)
