"""The second of the two short transactions around a publication: from now on the dataset shows the version."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.manifest import Manifest, ManifestOffer
from catalog.publish import Publication
from marketplace.accounts.senders import Sender
from marketplace.audit.sealing import Sealed
from marketplace.consents.cohorts import Cohorts, take_out_everybody
from marketplace.db.base import new_id
from marketplace.listings.errors import (
    ConsentsMoved,
    Overtaken,
)
from marketplace.listings.models import Dataset, DatasetVersion, LegalBasis
from marketplace.listings.once import Once, keep
from marketplace.listings.places import Place, lock_joint_lineage, lock_lineage, newest_version
from marketplace.listings.recording import record_alarm, record_overrides, record_release
from marketplace.listings.register import Register
from marketplace.listings.searched import index_dataset
from marketplace.listings.standing import count_exclusions
from marketplace.offers.actions import follow_manifest
from marketplace.quality.actions import keep_source_check
from policies.decision import Decision


async def release(
    session: AsyncSession,
    *,
    publication: Publication,
    sealed: Sealed,
    place: Place,
    register: Register | None,
    store: Cohorts,
    by: Sender,
    at: datetime,
    once: Once | None = None,
) -> DatasetVersion:
    """The second transaction: the dataset shows the new version, at the manifest's price, in the class decided.

    Raises Overtaken, KeyReused; ConsentsMoved if a cohort went out of a version since `register` was read.

    Under the dataset's lock, which a withdrawal shares, none can slip in between. Newcomers who said no meanwhile
    take their cohort out here.
    """
    manifest = publication.manifest
    dataset = await _unchanged(session, manifest, place, register, by)
    if dataset is None:
        dataset = _listed_first(manifest, place, by, at)
        session.add(dataset)
    # An owner's own versions of the standard offer outlive a manifest that says what it said before.
    offered = _offered_before(dataset)
    _describe(dataset, publication)
    await session.flush()
    row = _version(dataset, publication, sealed.decision, by, at)
    row.number = 1 + await _newest_number(session, dataset.id)
    session.add(row)
    await session.flush()
    if manifest.offer != offered:
        await follow_manifest(session, dataset_id=dataset.id, asked=manifest.offer, by=by, at=at)
    session.add(_basis(row, manifest))
    dataset.current_version_id = row.id
    await session.flush()
    taken_out = await take_out_everybody(session, dataset_id=dataset.id, version_id=row.id, store=store)
    event_id = await record_release(session, dataset, row, publication, by, taken_out, sealed)
    await _record_beside(session, dataset, row, publication, sealed.decision, by)
    if once is not None:
        await keep(session, once, organisation_id=by.organisation_id, event_id=event_id, slug=dataset.slug)
    await index_dataset(session, dataset.id)
    return row


async def _unchanged(
    session: AsyncSession, manifest: Manifest, place: Place, register: Register | None, by: Sender
) -> Dataset | None:
    """The dataset as it was when the version was made, locked; None: it is the first of its name.

    Raises Overtaken, ConsentsMoved."""
    if place.pair is None:
        await lock_lineage(session, manifest, by)
    else:
        await lock_joint_lineage(session, place.lineage_id)
    dataset: Dataset | None = await session.scalar(
        select(Dataset).where(Dataset.slug == manifest.dataset).with_for_update(key_share=True)
    )
    overtaken = await newest_version(session, place.lineage_id) != place.newest
    if overtaken or (dataset.current_version_id if dataset else None) != place.previous:
        raise Overtaken(slug=manifest.dataset)
    if register and dataset and await count_exclusions(session, dataset.id) != register.exclusions:
        raise ConsentsMoved(slug=manifest.dataset)
    return dataset


def _listed_first(manifest: Manifest, place: Place, by: Sender, at: datetime) -> Dataset:
    pair = place.pair
    return Dataset(
        id=new_id(),
        slug=manifest.dataset,
        owner_id=pair.lead_id if pair else by.organisation_id,
        partner_id=pair.partner_id if pair else None,
        linkage_id=pair.linkage_id if pair else None,
        lineage_id=place.lineage_id,
        created_at=at,
    )


def _version(
    dataset: Dataset, publication: Publication, decision: Decision, by: Sender, at: datetime
) -> DatasetVersion:
    obligations = decision.obligations
    return DatasetVersion(
        id=publication.version.id,
        dataset_id=dataset.id,
        body=msgspec.to_builtins(publication.version),
        sample=publication.sample,
        waiting=msgspec.to_builtins(publication.report.waiting),
        state_class=obligations.state_class if obligations else None,
        personal_class=obligations.personal_class if obligations else None,
        published_by=by.person_id,
        created_at=at,
    )


async def _record_beside(
    session: AsyncSession,
    dataset: Dataset,
    row: DatasetVersion,
    publication: Publication,
    decision: Decision,
    by: Sender,
) -> None:
    if publication.overridden:
        await record_overrides(session, row, publication, by)
    if publication.report.quality is not None:
        await keep_source_check(
            session,
            dataset_id=dataset.id,
            version_id=row.id,
            owners=(dataset.owner_id,) if dataset.partner_id is None else (dataset.owner_id, dataset.partner_id),
            found=publication.report.quality,
            at=row.created_at,
        )
    if decision.reasons:
        await record_alarm(session, row, decision, by)


def _offered_before(dataset: Dataset) -> ManifestOffer | None:
    offered = (dataset.manifest or {}).get("offer")
    return msgspec.convert(offered, ManifestOffer) if offered else None


def _describe(dataset: Dataset, publication: Publication) -> None:
    manifest = publication.manifest
    dataset.title_vi, dataset.title_en = manifest.title.vi, manifest.title.en
    dataset.description_vi, dataset.description_en = manifest.description.vi, manifest.description.en
    dataset.licence, dataset.themes = manifest.licence, list(manifest.themes)
    dataset.spatial, dataset.temporal = manifest.spatial, manifest.temporal
    dataset.update_frequency = manifest.update_frequency
    dataset.manifest = msgspec.to_builtins(manifest)


async def _newest_number(session: AsyncSession, dataset_id: uuid.UUID) -> int:
    rows = select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset_id)
    return await session.scalar(rows) or 0


def _basis(row: DatasetVersion, manifest: Manifest) -> LegalBasis:
    basis = manifest.legal_basis
    return LegalBasis(
        version_id=row.id,
        dataset_id=row.dataset_id,
        kind=basis.kind,
        law=basis.law,
        recorded_by=row.published_by,
        recorded_at=row.created_at,
    )
