"""What other catalogues list, and how their harvesting goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import and_, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.search import plain
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.errors import NotFound
from marketplace.harvest.models import ExternalListing, HarvestRun, HarvestSource
from marketplace.harvest.schemas import ExternalList, ExternalView, RunList, RunView, SourceList, SourceView

SHOWN_RUNS = 50
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
MOST_WORDS = 12
LOOKED_AT = 20_000
"""Listings that one page of a search reads: words are looked for in each, and the next page goes on from there."""


async def external_listings(
    session: AsyncSession, *, q: str = "", cursor: str | None = None, limit: int = PAGE_ROWS
) -> ExternalList:
    """Those in which every word of `q` begins a word, the latest found first; none that vanished or whose source
    was stopped. A page reads `LOOKED_AT` listings at most: it may hold few or none, and still there is a next.
    Raises Invalid for a cursor we did not give out."""
    (before,) = decode_cursor(cursor, tuple[UUID]) if cursor is not None else (_LAST,)
    newest = select(ExternalListing.id).where(ExternalListing.id < before).order_by(ExternalListing.id.desc())
    end = await session.scalar(newest.offset(LOOKED_AT - 1).limit(1))
    words = (ExternalListing.search_text.contains(f" {word}") for word in plain(q).split()[:MOST_WORDS])
    rows = (
        select(ExternalListing, HarvestSource.name)
        .join(HarvestSource, HarvestSource.id == ExternalListing.source_id)
        .where(ExternalListing.id < before, ExternalListing.id >= (end or _FIRST))
        .where(ExternalListing.vanished_at.is_(None), HarvestSource.due_at.is_not(None), and_(true(), *words))
        .order_by(ExternalListing.id.desc())
        .limit(limit + 1)
    )
    shown, last = cut((await session.execute(rows)).all(), limit)
    reached = last[0].id if last else end
    return ExternalList(
        items=tuple(_external(listing, name) for listing, name in shown),
        next=encode_cursor(reached) if reached else None,
    )


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
