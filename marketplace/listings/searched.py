"""Datasets in the index: what is said in public of the newest version, and at what price."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.version import Version
from marketplace.accounts.models import Organisation
from marketplace.billing.price import Measured, price
from marketplace.db.base import utcnow
from marketplace.db.engine import passing_over
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.listings.reads import owner_names, read_price
from marketplace.quality.newest import read_newest
from marketplace.search.indexing import drop_listing, edition, put_listing
from marketplace.search.lexemes import Column, Listing

_UNREAD = text("""
select d.id from dataset d left join listing_search s on s.listing_id = d.id and s.edition = :edition
where d.current_version_id is not null and s.listing_id is null and d.id > :after order by d.id limit :most
""")


async def index_dataset(session: AsyncSession, dataset_id: uuid.UUID) -> None:
    """Whoever changes what is said of a dataset, its price, its newest version or what was found of that version
    calls this in its transaction."""
    listing = await _listing(session, dataset_id)
    if listing is None:
        await drop_listing(session, dataset_id)
    else:
        await put_listing(session, listing)


async def index_unread(session: AsyncSession, *, after: uuid.UUID, most: int) -> list[uuid.UUID]:
    """The next datasets after `after` that are not in the index, or were read by other synonyms than today's.

    One that cannot be read is logged and passed over.
    """
    rows = await session.scalars(_UNREAD, {"edition": edition(), "after": after, "most": most})
    unread = list(rows)
    for dataset_id in unread:
        async with passing_over(session, f"dataset {dataset_id} is not in the index"):
            await index_dataset(session, dataset_id)
    return unread


async def _listing(session: AsyncSession, dataset_id: uuid.UUID) -> Listing | None:
    rows = (
        select(Dataset, DatasetVersion, Organisation.slug, owner_names())
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .join(Organisation, Organisation.id == Dataset.owner_id)
        .where(Dataset.id == dataset_id)
    )
    row = (await session.execute(rows)).one_or_none()
    if row is None:
        return None
    dataset, newest, owner_slug, owner_name = row
    version = msgspec.convert(newest.body, Version)
    quality = await read_newest(session, dataset_id, version_id=newest.id, at=utcnow())
    return Listing(
        id=dataset.id,
        names=(dataset.title_vi, dataset.title_en, dataset.slug),
        texts=(dataset.description_vi, dataset.description_en),
        themes=tuple(dataset.themes),
        owner_name=owner_name,
        owner_slug=owner_slug,
        spatial=dataset.spatial,
        licence=dataset.licence,
        purposes=version.purposes,
        columns=tuple(Column(each.name, (each.meaning_vi, each.meaning_en)) for each in version.columns),
        state_class=newest.state_class,
        price_vnd=await _price_vnd(session, dataset_id, version),
        released_at=newest.created_at,
        quality=quality.percent if quality is not None else None,
    )


async def _price_vnd(session: AsyncSession, dataset_id: uuid.UUID, version: Version) -> int | None:
    """Of a query that reads every column, as anybody is offered it."""
    offer = await read_price(session, dataset_id)
    if offer is None:
        return None
    everything = Measured(bytes=sum(column.logical_bytes for column in version.columns))
    return price(offer.terms, everything).total_vnd
