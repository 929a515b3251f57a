"""What is listed: one dataset's newest version, the page of a dataset, the catalogue with its search."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, ScalarSelect, func, literal, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.history import Waiting
from catalog.version import Version
from marketplace.accounts.models import Organisation
from marketplace.billing.terms import whole_vnd
from marketplace.db.base import utcnow
from marketplace.listings.facts import dataset_facts
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.listings.schemas import (
    DatasetPage,
    OwnedDataset,
    PriceView,
    VersionView,
    WaitingPage,
    dataset_page,
)
from marketplace.offers.reads import public_offer
from policies import odrl


class ListedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The newest released version of a dataset, which alone can be asked."""

    dataset_id: uuid.UUID
    lineage_id: uuid.UUID
    slug: str
    owner_id: uuid.UUID
    partner_id: uuid.UUID | None
    number: int
    version: Version


class KeptDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset of which something is kept that may be read; `listed`: it has a version."""

    id: uuid.UUID
    slug: str
    title_vi: str
    title_en: str
    listed: bool


def is_named(dataset: uuid.UUID | str) -> ColumnElement[bool]:
    """A dataset by its id or by its slug."""
    if isinstance(dataset, uuid.UUID):
        return Dataset.id == dataset
    try:
        return Dataset.id == uuid.UUID(dataset)
    except ValueError:
        return Dataset.slug == dataset


@functools.cache
def owner_names() -> ScalarSelect[str]:
    """Of a row of dataset: its owner's name, of a joint dataset both."""
    return (
        select(
            func.string_agg(
                Organisation.name, aggregate_order_by(literal(" + "), Organisation.id != Dataset.owner_id)
            )
        )
        .where(Organisation.id.in_((Dataset.owner_id, Dataset.partner_id)))
        .correlate(Dataset)
        .scalar_subquery()
    )


async def owners_named(session: AsyncSession, slugs: Sequence[str]) -> dict[str, str]:
    """Slug of an organisation → its name."""
    rows = select(Organisation.slug, Organisation.name).where(Organisation.slug.in_(slugs))
    return dict((await session.execute(rows)).all())


async def listed_version(session: AsyncSession, dataset: uuid.UUID | str) -> ListedVersion | None:
    """The version that can be asked now; None where the dataset does not exist or has none."""
    rows = (
        select(
            Dataset.id,
            Dataset.lineage_id,
            Dataset.slug,
            Dataset.owner_id,
            Dataset.partner_id,
            DatasetVersion.number,
            DatasetVersion.body,
        )
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .where(is_named(dataset))
    )
    row = (await session.execute(rows)).one_or_none()
    if row is None:
        return None
    version = msgspec.convert(row.body, Version)
    return ListedVersion(
        dataset_id=row.id,
        lineage_id=row.lineage_id,
        slug=row.slug,
        owner_id=row.owner_id,
        partner_id=row.partner_id,
        number=row.number,
        version=version,
    )


async def read_offer(session: AsyncSession, dataset: uuid.UUID | str) -> odrl.Document | None:
    """What is offered of a listed dataset, as ODRL 2.2; None where there is no such listed dataset."""
    found = await listed_version(session, dataset)
    if found is None:
        return None
    facts = dataset_facts(found.dataset_id, found.version, state_class=None)
    price = await read_price(session, found.dataset_id)
    return odrl.offer(facts, owner_id=str(found.owner_id), per_query_vnd=price.base_vnd if price else None)


async def dataset_id_of(
    session: AsyncSession, dataset: uuid.UUID | str, *, owner_id: uuid.UUID | None = None
) -> uuid.UUID | None:
    """The id behind an id or a slug of a listed dataset; of that owner alone, listed or not, if one is given."""
    rows = select(Dataset.id).where(is_named(dataset))
    if owner_id is not None:
        rows = rows.where(Dataset.owner_id == owner_id, Dataset.linkage_id.is_(None))
    else:
        rows = rows.where(Dataset.current_version_id.is_not(None))
    return (await session.execute(rows)).scalar_one_or_none()


async def kept_dataset(
    session: AsyncSession, dataset: uuid.UUID | str, *, reader_id: uuid.UUID | None
) -> KeptDataset | None:
    """A listed dataset; to its owners also one of which every version was withdrawn."""
    listed = Dataset.current_version_id.is_not(None)
    rows = select(Dataset.id, Dataset.slug, Dataset.title_vi, Dataset.title_en, listed.label("listed"))
    readable: ColumnElement[bool] = listed
    if reader_id is not None:
        readable = or_(listed, Dataset.owner_id == reader_id, Dataset.partner_id == reader_id)
    row = (await session.execute(rows.where(is_named(dataset), readable))).one_or_none()
    return KeptDataset(**row._mapping) if row is not None else None


async def owned_datasets(session: AsyncSession, *, owner_id: uuid.UUID) -> tuple[OwnedDataset, ...]:
    """What the owner has listed by itself, by slug."""
    rows = select(Dataset.slug, Dataset.title_vi, Dataset.title_en, Dataset.manifest["privacy_unit"].astext)
    alone = (Dataset.owner_id == owner_id, Dataset.linkage_id.is_(None))
    rows = rows.where(*alone, Dataset.current_version_id.is_not(None)).order_by(Dataset.slug)
    return tuple(
        OwnedDataset(slug=slug, title_vi=vi, title_en=en, privacy_unit=unit)
        for slug, vi, en, unit in await session.execute(rows)
    )


async def read_dataset(session: AsyncSession, dataset: uuid.UUID | str) -> DatasetPage | None:
    """Everything that the page of a listed dataset shows; None where there is no such listed dataset."""
    rows = (
        select(Dataset, DatasetVersion, Organisation.slug, owner_names())
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .join(Organisation, Organisation.id == Dataset.owner_id)
        .where(is_named(dataset))
    )
    row = (await session.execute(rows)).one_or_none()
    if row is None:
        return None
    found, version, owner_slug, names = row
    return dataset_page(
        found,
        version,
        owner_name=names,
        owner_slug=owner_slug,
        price=await read_price(session, found.id),
        versions=await _versions(session, found.id),
    )


async def read_waiting(
    session: AsyncSession, dataset: uuid.UUID | str, *, owner_id: uuid.UUID
) -> WaitingPage | None:
    """Who waits in the newest version of a dataset of that owner; None where the owner has none such."""
    rows = (
        select(DatasetVersion)
        .join(Dataset, DatasetVersion.id == Dataset.current_version_id)
        .where(is_named(dataset), Dataset.owner_id == owner_id)
    )
    row = await session.scalar(rows)
    if row is None:
        return None
    return WaitingPage(
        version_id=row.id,
        number=row.number,
        released_at=row.created_at,
        waiting=msgspec.convert(row.waiting, tuple[Waiting, ...]),
    )


async def read_price(session: AsyncSession, dataset_id: uuid.UUID) -> PriceView | None:
    """What everybody is offered who names no offer."""
    offer = await public_offer(session, dataset_id=dataset_id, at=utcnow())
    if offer is None:
        return None
    terms = offer.terms
    return PriceView(
        offer_id=offer.id,
        terms=terms,
        base_vnd=terms.base_vnd,
        per_gb_vnd=whole_vnd(terms.per_gb_micro),
        max_seconds=terms.max_seconds,
        valid_from=offer.valid_from,
    )


async def _versions(session: AsyncSession, dataset_id: uuid.UUID) -> tuple[VersionView, ...]:
    rows = select(DatasetVersion.id, DatasetVersion.number, DatasetVersion.created_at, DatasetVersion.body)
    rows = rows.where(DatasetVersion.dataset_id == dataset_id).order_by(DatasetVersion.number.desc())
    return tuple(
        VersionView(
            id=row.id,
            number=row.number,
            released_at=row.created_at,
            rows=row.body["rows"],
            persons=row.body["persons"],
            k=row.body["measured"]["k"],
        )
        for row in await session.execute(rows)
    )
