"""A listed dataset as rows only, for tests that need something to agree on but no files."""

from __future__ import annotations

import secrets
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.version import LeftOut, Measured, Part, Version, VersionColumn
from marketplace.accounts.models import Organisation, Person
from marketplace.billing.terms import MICRO
from marketplace.db.base import new_id
from marketplace.listings.models import Dataset, DatasetVersion, Lineage
from marketplace.listings.searched import index_dataset
from marketplace.offers.models import Offer
from policies.decision import Conditions

PURPOSES = ("research.academic", "public.service")


def version(
    slug: str, *, purposes: tuple[str, ...] = PURPOSES, conditions: Conditions | UnsetType = UNSET
) -> Version:
    """A version.json of two columns; its id is new each time."""
    return Version(
        id=secrets.token_hex(32),
        dataset=slug,
        mode="rows",
        privacy_unit="row",
        population="everybody",
        rows=100,
        persons=100,
        cohorts=10,
        k=10,
        measured=Measured(k=10, l=2, entropy_l=1.5, t=0.3),
        fine_share=0.7,
        left_out=LeftOut(persons=0, classes=0, share=0.0),
        columns=tuple(
            VersionColumn(
                name=name, type="VARCHAR", role="quasi-identifier", personal="basic", meaning_vi="nghề",
                meaning_en="occupation", transform="", logical_bytes=1000,
            )
            for name in ("sex", "education")
        ),
        parts=(Part(name="p0.parquet", sha256="00" * 32, rows=100),),
        purposes=purposes,
        legal_basis="public",
        manifest_sha256="11" * 32,
        created_at_ms=0,
        conditions=conditions,
    )  # fmt: skip


async def list_dataset(
    session: AsyncSession,
    owner: Organisation,
    person: Person,
    *,
    slug: str = "",
    title: str = "Dân số",
    description: str = "",
    conditions: Conditions | UnsetType = UNSET,
) -> Dataset:
    """A dataset of that owner with one released version and an offer."""
    slug = slug or f"d_{secrets.token_hex(6)}"
    lineage = Lineage(id=new_id(), owner_id=owner.id, population=slug, mode="rows")
    session.add(lineage)
    await session.flush()
    released = version(slug, conditions=conditions)
    dataset = Dataset(
        id=new_id(), slug=slug, owner_id=owner.id, lineage_id=lineage.id, title_vi=title, title_en="People",
        description_vi=description, description_en="",
        licence="CC-BY-4.0", themes=[], spatial="VN", temporal="2024", update_frequency="never",
        current_version_id=released.id, manifest={},
    )  # fmt: skip
    session.add(dataset)
    await session.flush()
    row = DatasetVersion(
        id=released.id, dataset_id=dataset.id, number=1, body=msgspec.to_builtins(released),
        sample=[{"sex": "F", "education": "HS"}], published_by=person.id,
    )  # fmt: skip
    session.add_all([row, standard_offer(dataset.id)])
    await session.flush()
    await index_dataset(session, dataset.id)
    return dataset


def standard_offer(dataset_id: UUID, **terms: int | None) -> Offer:
    """The first version of what everybody is offered: 1,000 đồng a query, 5,000 a GB unless told."""
    asked = terms or {"per_query_micro": 1_000 * MICRO, "per_gb_micro": 5_000 * MICRO}
    return Offer(id=new_id(), dataset_id=dataset_id, name="standard", number=1, terms=asked)
