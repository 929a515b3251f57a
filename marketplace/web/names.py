"""Names behind the ids that the log holds: of people, organisations and datasets."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Organisation, Person
from marketplace.listings.models import Dataset


class Named(Struct, frozen=True, kw_only=True):
    """A dataset as a link."""

    slug: str
    title_vi: str
    title_en: str


class Names(Struct, frozen=True, kw_only=True):
    people: dict[UUID, str]
    organisations: dict[UUID, str]
    datasets: dict[UUID, Named]


async def names_of(
    session: AsyncSession,
    *,
    people: Iterable[UUID | None] = (),
    organisations: Iterable[UUID | None] = (),
    datasets: Iterable[UUID | None] = (),
) -> Names:
    """Names of all ids that exist. Ask only for ids that the reader was shown already."""
    persons = await session.execute(select(Person.id, Person.name).where(Person.id.in_(_known(people))))
    found = await session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(_known(organisations)))
    )
    listed = await session.execute(
        select(Dataset.id, Dataset.slug, Dataset.title_vi, Dataset.title_en).where(
            Dataset.id.in_(_known(datasets))
        )
    )
    return Names(
        people={row.id: row.name for row in persons},
        organisations={row.id: row.name for row in found},
        datasets={row.id: Named(slug=row.slug, title_vi=row.title_vi, title_en=row.title_en) for row in listed},
    )


async def all_organisations(session: AsyncSession) -> list[tuple[UUID, str]]:
    """For the regulator's filter."""
    rows = await session.execute(select(Organisation.id, Organisation.name).order_by(Organisation.name))
    return [(row.id, row.name) for row in rows]


async def all_datasets(session: AsyncSession) -> list[tuple[UUID, str]]:
    """For the filter: the catalogue is public."""
    rows = await session.execute(select(Dataset.id, Dataset.slug).order_by(Dataset.slug))
    return [(row.id, row.slug) for row in rows]


def _known(ids: Iterable[UUID | None]) -> set[UUID]:
    return {one for one in ids if one is not None}
