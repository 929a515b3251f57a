"""Where a version goes: dataset and lineage, found and locked; whose they are, one owner's or two."""

from __future__ import annotations

import uuid

from msgspec import Struct
from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.manifest import Manifest
from marketplace.accounts.models import Organisation
from marketplace.accounts.senders import Sender
from marketplace.db.base import new_id
from marketplace.errors import NotFound
from marketplace.linkages.guard import is_linked
from marketplace.listings.errors import (
    ModeFixed,
    NeedsBothOwners,
    NotYourOrganisation,
    PopulationFixed,
    PopulationLinked,
    SlugDiffers,
    SlugTaken,
)
from marketplace.listings.models import Dataset, DatasetVersion, Lineage


class Pair(Struct, frozen=True, kw_only=True):
    """The two owners of a joint dataset, and the linkage by which it is made."""

    linkage_id: uuid.UUID
    lead_id: uuid.UUID
    partner_id: uuid.UUID


class Place(Struct, frozen=True, kw_only=True):
    """Where a version goes: its lineage, and its dataset with its version if it has been listed before.

    `newest`: the version released last in the lineage, of whichever dataset: it knows all that the lineage has
    shown."""

    lineage_id: uuid.UUID
    dataset_id: uuid.UUID | None
    previous: str | None
    newest: str | None
    pair: Pair | None = None
    """Of a joint dataset."""


async def find_place(
    session: AsyncSession, *, manifest: Manifest, by: Sender, into: uuid.UUID | None, may_exist: bool
) -> Place:
    """The first transaction. Makes the lineage at its first use.

    Raises NotFound, NotYourOrganisation, SlugTaken, SlugDiffers, ModeFixed, PopulationFixed, PopulationLinked,
    NeedsBothOwners."""
    owner = await session.get_one(Organisation, by.organisation_id)
    if manifest.owner != owner.slug:
        raise NotYourOrganisation(owner=manifest.owner)
    dataset = await _dataset(session, manifest.dataset, by, into, may_exist)
    if dataset is not None and dataset.linkage_id is not None:
        raise NeedsBothOwners(slug=dataset.slug)
    lineage = await lock_lineage(session, manifest, by)
    if dataset is not None and dataset.lineage_id != lineage.id:
        raise PopulationFixed(slug=dataset.slug, asked=manifest.population)
    return Place(
        lineage_id=lineage.id,
        dataset_id=dataset.id if dataset else None,
        previous=dataset.current_version_id if dataset else None,
        newest=await newest_version(session, lineage.id),
    )


async def find_joint_place(
    session: AsyncSession, *, manifest: Manifest, lineage_id: uuid.UUID, pair: Pair
) -> Place:
    """As `find_place`, of a joint dataset. Raises SlugTaken, SlugDiffers, ModeFixed."""
    lineage = await lock_joint_lineage(session, lineage_id)
    await _require_mode(session, lineage, manifest)
    mine = await session.scalar(select(Dataset).where(Dataset.linkage_id == pair.linkage_id))
    if mine is not None and mine.slug != manifest.dataset:
        raise SlugDiffers(slug=mine.slug, asked=manifest.dataset)
    if mine is None and await session.scalar(select(exists().where(Dataset.slug == manifest.dataset))):
        raise SlugTaken(slug=manifest.dataset)
    return Place(
        lineage_id=lineage_id,
        dataset_id=mine.id if mine else None,
        previous=mine.current_version_id if mine else None,
        newest=await newest_version(session, lineage_id),
        pair=pair,
    )


async def _dataset(
    session: AsyncSession, slug: str, by: Sender, into: uuid.UUID | None, may_exist: bool
) -> Dataset | None:
    if into is not None:
        mine = select(Dataset).where(Dataset.id == into, Dataset.owner_id == by.organisation_id)
        dataset = await session.scalar(mine)
        if dataset is None:
            raise NotFound
        if dataset.slug != slug:
            raise SlugDiffers(slug=dataset.slug, asked=slug)
        return dataset
    dataset = await session.scalar(select(Dataset).where(Dataset.slug == slug))
    if dataset is not None and (dataset.owner_id != by.organisation_id or not may_exist):
        raise SlugTaken(slug=slug)
    return dataset


async def lock_lineage(session: AsyncSession, manifest: Manifest, by: Sender) -> Lineage:
    """The manifest's lineage, locked until the transaction ends, and so is what linkages show of these persons.

    Raises PopulationLinked, ModeFixed."""
    lineage = await make_lineage(
        session, owner_id=by.organisation_id, population=manifest.population, mode=manifest.mode
    )
    if await is_linked(session, owner_id=by.organisation_id, population=manifest.population):
        raise PopulationLinked(population=manifest.population)
    await _require_mode(session, lineage, manifest)
    return lineage


async def make_lineage(session: AsyncSession, *, owner_id: uuid.UUID, population: str, mode: str) -> Lineage:
    """The lineage, made at its first use and locked until the transaction ends."""
    row = {"id": new_id(), "owner_id": owner_id, "population": population, "mode": mode}
    await session.execute(insert(Lineage).values(row).on_conflict_do_nothing())
    named = (Lineage.owner_id == owner_id, Lineage.population == population)
    return (await session.execute(select(Lineage).where(*named).with_for_update())).scalar_one()


async def lock_joint_lineage(session: AsyncSession, lineage_id: uuid.UUID) -> Lineage:
    """Until the transaction ends."""
    return (await session.execute(select(Lineage).where(Lineage.id == lineage_id).with_for_update())).scalar_one()


async def _require_mode(session: AsyncSession, lineage: Lineage, manifest: Manifest) -> None:
    """It is fixed by the first release, not by an attempt."""
    if lineage.mode != manifest.mode:
        if await session.scalar(select(exists().where(Dataset.lineage_id == lineage.id))):
            raise ModeFixed(population=manifest.population, mode=lineage.mode, asked=manifest.mode)
        lineage.mode = manifest.mode


async def newest_version(session: AsyncSession, lineage_id: uuid.UUID) -> str | None:
    """The version released last in the lineage."""
    newest = (
        select(DatasetVersion.id)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(Dataset.lineage_id == lineage_id)
        .order_by(DatasetVersion.created_at.desc(), DatasetVersion.number.desc())
        .limit(1)
    )
    return await session.scalar(newest)
