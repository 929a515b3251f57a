"""Datasets like one: found by its own title and themes."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.listings.models import Dataset
from marketplace.listings.schemas import DatasetPage
from marketplace.search.lexemes import plain_value
from marketplace.search.ranking import find

MOST = 5


class Related(Struct, frozen=True, kw_only=True):
    slug: str
    title_vi: str
    title_en: str


async def read_related(session: AsyncSession, page: DatasetPage, *, at: datetime) -> tuple[Related, ...]:
    """The most alike first."""
    found = await find(session, page.title_vi, at=at, limit=MOST + 1)
    ids = [hit.listing_id for hit in found.hits if hit.listing_id != page.id]
    if len(ids) < MOST and page.themes:
        alike = await find(session, "", at=at, limit=MOST + 1, chosen={"theme": _values(page)})
        ids += [hit.listing_id for hit in alike.hits if hit.listing_id not in (*ids, page.id)]
    rows = select(Dataset).where(Dataset.id.in_(ids[:MOST]), Dataset.current_version_id.is_not(None))
    listed = {dataset.id: dataset for dataset in await session.scalars(rows)}
    return tuple(
        Related(slug=listed[each].slug, title_vi=listed[each].title_vi, title_en=listed[each].title_en)
        for each in ids[:MOST]
        if each in listed
    )


def _values(page: DatasetPage) -> tuple[str, ...]:
    return tuple(plain_value(theme) for theme in page.themes)
