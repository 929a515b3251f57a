"""The catalogue: what is listed, newest first, or what a search finds, titles first."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Row, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.version import Version
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.listings.reads import owner_names
from marketplace.listings.schemas import DatasetList, DatasetSummary
from marketplace.listings.search import every_word, words_in_title


async def list_datasets(
    session: AsyncSession, *, q: str = "", cursor: str | None = None, limit: int = PAGE_ROWS
) -> DatasetList:
    """Datasets in which every word of `q` begins a word. Raises Invalid for a cursor we did not give out."""
    rank = words_in_title(q).label("rank")
    rows = (
        select(Dataset, DatasetVersion, owner_names().label("owner_name"), rank)
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .where(every_word(q))
        .order_by(rank.desc(), Dataset.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        above, last_id = decode_cursor(cursor, tuple[int, uuid.UUID])
        rows = rows.where(tuple_(rank.element, Dataset.id) < tuple_(above, last_id))
    shown, last = cut((await session.execute(rows)).all(), limit)
    next_cursor = encode_cursor(last[3], last[0].id) if last else None
    return DatasetList(items=tuple(_summary(row) for row in shown), next=next_cursor)


def _summary(row: Row[Dataset, DatasetVersion, str, int]) -> DatasetSummary:
    dataset, newest, owner_name, _ = row._tuple()
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
    )
