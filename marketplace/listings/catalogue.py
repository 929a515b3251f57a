"""The catalogue: what is listed, newest first, or what a search finds, the best first, with facets."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.version import Version
from marketplace.db.base import utcnow
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.listings.reads import owner_names
from marketplace.listings.schemas import DatasetList, DatasetSummary, SearchedFor
from marketplace.search.facets import Chosen
from marketplace.search.highlight import SNIPPET, Marker
from marketplace.search.ranking import Found, Hit, find


async def list_datasets(
    session: AsyncSession,
    *,
    q: str = "",
    chosen: Chosen | None = None,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
    newest_first: bool = False,
) -> DatasetList:
    """Datasets that speak of `q` and have one chosen value of each facet, the best or the newest first. Raises
    Invalid for a cursor not ours."""
    after = None
    if cursor is not None:
        score, last_id = decode_cursor(cursor, tuple[float, uuid.UUID])
        after = Hit(last_id, score)
    found = await find(
        session, q, at=utcnow(), chosen=chosen, limit=limit + 1, after=after, newest_first=newest_first
    )
    shown, last = cut(found.hits, limit)
    rows = (
        select(Dataset, DatasetVersion, owner_names())
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .where(Dataset.id.in_([hit.listing_id for hit in shown]))
    )
    listed = {row[0].id: row for row in await session.execute(rows)}
    marker = Marker(found.question, found.words)
    return DatasetList(
        items=tuple(_summary(listed[hit.listing_id], marker) for hit in shown if hit.listing_id in listed),
        next=encode_cursor(last.score, last.listing_id) if last else None,
        found=found.listings,
        more=found.more,
        facets=found.facets,
        looked_for=_looked_for(found),
    )


def _looked_for(found: Found) -> SearchedFor | None:
    if not found.question.units:
        return None
    words = " ".join(word.folded for word in found.question.words)
    return SearchedFor(words=words, mended=found.was_mended, partly=found.partly)


def _summary(row: Row[Dataset, DatasetVersion, str], marker: Marker) -> DatasetSummary:
    dataset, newest, owner_name = row
    version = msgspec.convert(newest.body, Version)
    return DatasetSummary(
        id=dataset.id,
        slug=dataset.slug,
        title_vi=dataset.title_vi,
        title_en=dataset.title_en,
        description_vi=dataset.description_vi,
        description_en=dataset.description_en,
        owner_name=owner_name,
        themes=tuple(dataset.themes),
        purposes=version.purposes,
        mode=version.mode,
        k=version.measured.k,
        persons=version.persons,
        worn=newest.worn_at is not None,
        released_at=newest.created_at,
        title_vi_pieces=marker.pieces(dataset.title_vi),
        title_en_pieces=marker.pieces(dataset.title_en),
        description_vi_pieces=marker.pieces(dataset.description_vi, most=SNIPPET),
        description_en_pieces=marker.pieces(dataset.description_en, most=SNIPPET),
    )
