"""What is listed, as the standards tell it: of one dataset, of a page of the catalogue, of releases."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from catalog.metadata.atom import Release
from catalog.metadata.described import Described, Party, Price
from catalog.version import Version
from marketplace.accounts.models import Organisation
from marketplace.billing.terms import Terms
from marketplace.db.base import utcnow
from marketplace.db.cursor import cut, decode_cursor, encode_cursor
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.listings.reads import is_named
from marketplace.offers.reads import public_terms

PAGE_DATASETS = 100
Owner, Partner = aliased(Organisation, name="owner"), aliased(Organisation, name="partner")
_BOUNDARIES = text("""
select id from (select id, row_number() over (order by id) as place from dataset
                where current_version_id is not null) d where place % :each = 1 order by id
""")


async def described(session: AsyncSession, dataset: uuid.UUID | str) -> Described | None:
    """One listed dataset by id or slug, with its sample."""
    rows = listed_rows().add_columns(DatasetVersion.sample).where(is_named(dataset))
    row = (await session.execute(rows)).one_or_none()
    if row is None:
        return None
    (told,) = await describe(session, [row])
    return msgspec.structs.replace(told, sample=tuple(row.sample))


async def catalogue_page(session: AsyncSession, *, cursor: str | None) -> tuple[tuple[Described, ...], str | None]:
    """A page, in the order of listing, and the cursor of the next one. Raises Invalid for a cursor of others."""
    rows = listed_rows().order_by(Dataset.id).limit(PAGE_DATASETS + 1)
    if cursor is not None:
        (after,) = decode_cursor(cursor, tuple[uuid.UUID])
        rows = rows.where(Dataset.id > after)
    shown, last = cut((await session.execute(rows)).all(), PAGE_DATASETS)
    return await describe(session, shown), encode_cursor(last.Dataset.id) if last else None


def listed_rows() -> Select[Any]:
    """What `describe` needs of every listed dataset; samples are large, and not read."""
    return (
        select(
            Dataset,
            DatasetVersion.body,
            DatasetVersion.number,
            DatasetVersion.created_at,
            (func.jsonb_array_length(DatasetVersion.sample) > 0).label("has_sample"),
            Owner,
            Partner,
        )
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .join(Owner, Owner.id == Dataset.owner_id)
        .outerjoin(Partner, Partner.id == Dataset.partner_id)
    )


async def describe(session: AsyncSession, rows: Sequence[Row[Any]]) -> tuple[Described, ...]:
    """Rows of `listed_rows`, each with what everybody is offered."""
    terms = await public_terms(session, dataset_ids=[row.Dataset.id for row in rows], at=utcnow())
    return tuple(_described(row, terms.get(row.Dataset.id)) for row in rows)


def _described(row: Row[Any], terms: Terms | None) -> Described:
    dataset, owner, partner = row.Dataset, row.owner, row.partner
    return Described(
        id=str(dataset.id),
        slug=dataset.slug,
        title_vi=dataset.title_vi,
        title_en=dataset.title_en,
        description_vi=dataset.description_vi,
        description_en=dataset.description_en,
        owner=_party(owner),
        partner=_party(partner) if partner else None,
        licence=dataset.licence,
        themes=tuple(dataset.themes),
        spatial=dataset.spatial,
        temporal=dataset.temporal,
        update_frequency=dataset.update_frequency,
        version=msgspec.convert(row.body, Version),
        number=row.number,
        first_released_at=dataset.created_at,
        released_at=row.created_at,
        has_sample=row.has_sample,
        price=_price(terms),
    )


def _party(organisation: Organisation) -> Party:
    return Party(id=str(organisation.id), slug=organisation.slug, name=organisation.name)


def _price(terms: Terms | None) -> Price | None:
    if terms is None:
        return None
    return Price(per_query_micro=terms.per_query_micro, per_gb_micro=terms.per_gb_micro, month_vnd=terms.month_vnd)


async def releases(session: AsyncSession, *, cursor: str | None) -> tuple[tuple[Release, ...], str | None]:
    """Versions of listed datasets, newest first, and the cursor of the next page. Raises Invalid."""
    key = (DatasetVersion.created_at, DatasetVersion.id)
    rows = (
        select(DatasetVersion.id, DatasetVersion.number, DatasetVersion.created_at, Dataset, Owner.name)
        .join(Dataset, DatasetVersion.dataset_id == Dataset.id)
        .join(Owner, Owner.id == Dataset.owner_id)
        .where(Dataset.current_version_id.is_not(None))
        .order_by(*(part.desc() for part in key))
        .limit(PAGE_DATASETS + 1)
    )
    if cursor is not None:
        rows = rows.where(tuple_(*key) < tuple_(*decode_cursor(cursor, tuple[datetime, str])))
    shown, last = cut((await session.execute(rows)).all(), PAGE_DATASETS)
    told = tuple(
        Release(
            version_id=version_id,
            number=number,
            slug=dataset.slug,
            title_vi=dataset.title_vi,
            description_vi=dataset.description_vi,
            owner_name=owner_name,
            themes=tuple(dataset.themes),
            released_at=released_at,
        )
        for version_id, number, released_at, dataset, owner_name in shown
    )
    return told, encode_cursor(last.created_at, last.id) if last else None


async def sitemap_files(session: AsyncSession, *, each: int) -> tuple[uuid.UUID, ...]:
    """The first dataset of every file of so many."""
    return tuple((await session.execute(_BOUNDARIES, {"each": each})).scalars())


async def sitemap_pages(session: AsyncSession, *, first: uuid.UUID, each: int) -> tuple[tuple[str, datetime], ...]:
    """Slugs with the instant of the newest version, from `first` on."""
    rows = (
        select(Dataset.slug, DatasetVersion.created_at)
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .where(Dataset.id >= first)
        .order_by(Dataset.id)
        .limit(each)
    )
    return tuple((slug, at) for slug, at in await session.execute(rows))
