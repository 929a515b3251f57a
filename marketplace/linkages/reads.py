"""Linkages of an owner, with what both have sent: columns as declared, never what is in them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from catalog.manifest import ManifestColumn, read_manifest
from catalog.transforms import describe
from marketplace.accounts.models import Organisation
from marketplace.errors import NotFound
from marketplace.linkages.models import Contribution, Linkage
from marketplace.linkages.schemas import ColumnView, ContributionView, LinkageLine, LinkageList, LinkageView
from marketplace.listings.models import Dataset

Lead, Partner = aliased(Organisation), aliased(Organisation)
MOST = 200


def _linkages(organisation_id: uuid.UUID) -> Select[Linkage, Organisation, Organisation, str | None]:
    return (
        select(Linkage, Lead, Partner, Dataset.slug)
        .join(Lead, Lead.id == Linkage.lead_id)
        .join(Partner, Partner.id == Linkage.partner_id)
        .outerjoin(Dataset, Dataset.linkage_id == Linkage.id)
        .where(or_(Linkage.lead_id == organisation_id, Linkage.partner_id == organisation_id))
        .execution_options(populate_existing=True)
    )


async def read_linkage(session: AsyncSession, *, linkage_id: uuid.UUID, organisation_id: uuid.UUID) -> LinkageView:
    """Raises NotFound for a linkage of others."""
    row = (await session.execute(_linkages(organisation_id).where(Linkage.id == linkage_id))).one_or_none()
    if row is None:
        raise NotFound
    linkage, lead, partner, slug = row
    standing = select(Contribution).where(Contribution.linkage_id == linkage.id, Contribution.erased_at.is_(None))
    sent = (await session.scalars(standing.order_by(Contribution.sent_at))).all()
    named = {lead.id: lead.slug, partner.id: partner.slug}
    # Manifests are read in a thread: a long one would hold everybody up.
    views = [
        await asyncio.to_thread(_contribution, each, named[each.owner_id], sent, organisation_id) for each in sent
    ]
    return LinkageView(**_told(linkage, lead, partner, slug), contributions=tuple(views))


async def list_linkages(session: AsyncSession, *, organisation_id: uuid.UUID) -> LinkageList:
    """The newest MOST, newest first."""
    rows = (await session.execute(_linkages(organisation_id).order_by(Linkage.id.desc()).limit(MOST))).all()
    return LinkageList(items=tuple(LinkageLine(**_told(*row)) for row in rows))


def _told(linkage: Linkage, lead: Organisation, partner: Organisation, slug: str | None) -> dict[str, Any]:
    return {
        "id": linkage.id,
        "state": linkage.state,
        "lead_id": lead.id,
        "lead": lead.slug,
        "lead_name": lead.name,
        "partner": partner.slug,
        "partner_name": partner.name,
        "population": linkage.population,
        "purposes": tuple(linkage.purposes),
        "lead_basis_points": linkage.lead_basis_points,
        "proposed_at": linkage.proposed_at,
        "decided_at": linkage.decided_at,
        "ended_at": linkage.ended_at,
        "reason": linkage.reason,
        "dataset": slug,
    }


def _contribution(
    sent: Contribution, owner: str, both: Sequence[Contribution], viewer: uuid.UUID
) -> ContributionView:
    manifest = read_manifest(sent.manifest)
    return ContributionView(
        id=sent.id,
        owner=owner,
        mode=manifest.mode,
        k=manifest.k,
        l=manifest.l,
        purposes=manifest.purposes,
        legal_basis=manifest.legal_basis.kind,
        base_vnd=manifest.offer.base_vnd,
        per_gb_vnd=manifest.offer.per_gb_vnd,
        columns=tuple(_columns(manifest.columns_of("quasi-identifier", "sensitive", "measure"))),
        persons=sent.persons if sent.owner_id == viewer else None,
        sent_at=sent.sent_at,
        agreed=sent.agreed_to in {each.id for each in both},
    )


def _columns(columns: Sequence[ManifestColumn]) -> Iterator[ColumnView]:
    for column in columns:
        assert column.meaning is not None  # a manifest without it is refused
        yield ColumnView(
            name=column.sql_name,
            role=column.published_role,
            personal=column.personal,
            meaning_vi=column.meaning.vi,
            meaning_en=column.meaning.en,
            transform=describe(column.transform),
        )
