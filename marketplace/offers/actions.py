"""Verbs on offers: make a version, retire one, follow the manifest. Each writes its event with its change."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.manifest import ManifestOffer
from marketplace.accounts.models import Organisation
from marketplace.accounts.senders import Sender, record_sent
from marketplace.billing.terms import MICRO, Terms
from marketplace.db.base import new_id
from marketplace.errors import Invalid, NotFound
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.listings.searched import index_dataset
from marketplace.offers.errors import OfferRetired
from marketplace.offers.models import Offer
from marketplace.offers.reads import STANDARD
from marketplace.offers.rules import check_terms
from marketplace.offers.schemas import NewOfferBody
from sandbox.job import Mode


async def make_offer(
    session: AsyncSession, *, offer_id: UUID, dataset_id: UUID, asked: NewOfferBody, by: Sender, at: datetime
) -> Offer:
    """A new offer, or the next version of one, on a dataset that is the sender's alone.

    Raises NotFound, Invalid."""
    dataset = await session.scalar(
        select(Dataset)
        .where(Dataset.id == dataset_id, Dataset.owner_id == by.organisation_id, Dataset.linkage_id.is_(None))
        .with_for_update(key_share=True)
    )
    if dataset is None:
        raise NotFound
    mode = await session.scalar(
        select(DatasetVersion.body["mode"].astext).where(DatasetVersion.id == dataset.current_version_id)
    )
    check_terms(asked.terms, cast(Mode, mode), at=at)
    await _check_scope(session, dataset_id, asked, at)
    offer = Offer(
        id=offer_id,
        dataset_id=dataset_id,
        name=asked.name,
        number=1 + await _newest_number(session, dataset_id, asked.name),
        startup_id=asked.startup_id,
        terms=_terms_kept(asked.terms),
        valid_from=asked.valid_from or at,
        valid_until=asked.valid_until,
        made_by=by.person_id,
        made_at=at,
    )
    session.add(offer)
    await session.flush()
    await _record(session, "offer:make", offer, by, {"terms": offer.terms})
    await index_dataset(session, dataset_id)
    return offer


async def retire_offer(session: AsyncSession, *, offer_id: UUID, by: Sender, at: datetime) -> Offer:
    """No new agreement can be made on it; those that there are keep it. Raises NotFound, OfferRetired."""
    offer = await session.scalar(
        select(Offer)
        .join(Dataset, Dataset.id == Offer.dataset_id)
        .where(Offer.id == offer_id, Dataset.owner_id == by.organisation_id, Dataset.linkage_id.is_(None))
        .with_for_update(of=Dataset, key_share=True)
        .execution_options(populate_existing=True)
    )
    if offer is None:
        raise NotFound
    if offer.retired_at is not None:
        raise OfferRetired(offer_id=str(offer_id))
    offer.retired_at, offer.retired_by = at, by.person_id
    await session.flush()
    await _record(session, "offer:retire", offer, by, {})
    await index_dataset(session, offer.dataset_id)
    return offer


async def follow_manifest(
    session: AsyncSession, *, dataset_id: UUID, asked: ManifestOffer, by: Sender, at: datetime
) -> None:
    """What a manifest offers is the next version of the standard offer."""
    terms = Terms(
        per_query_micro=asked.base_vnd * MICRO,
        per_gb_micro=asked.per_gb_vnd * MICRO,
        max_seconds=asked.max_seconds,
    )
    offer = Offer(
        id=new_id(),
        dataset_id=dataset_id,
        name=STANDARD,
        number=1 + await _newest_number(session, dataset_id, STANDARD),
        terms=_terms_kept(terms),
        valid_from=at,
        made_by=by.person_id,
        made_at=at,
    )
    session.add(offer)
    await session.flush()
    await _record(session, "offer:make", offer, by, {"terms": offer.terms})


async def _check_scope(session: AsyncSession, dataset_id: UUID, asked: NewOfferBody, at: datetime) -> None:
    begins = asked.valid_from or at
    if asked.valid_until is not None and asked.valid_until <= begins:
        raise _invalid("valid_until", "ends_before_it_begins")
    if asked.valid_from is not None and asked.valid_from < at:
        raise _invalid("valid_from", "in_the_past")
    if asked.startup_id is not None:
        kind = await session.scalar(select(Organisation.kind).where(Organisation.id == asked.startup_id))
        if kind != "startup":
            raise _invalid("startup_id", "no_startup")
    rows = select(Offer.startup_id).where(Offer.dataset_id == dataset_id, Offer.name == asked.name)
    if any(each != asked.startup_id for each in (await session.scalars(rows)).all()):
        raise _invalid("startup_id", "another_scope")


def _invalid(path: str, code: str) -> Invalid:
    return Invalid(errors=[{"path": path, "code": f"offer.{code}", "params": {"path": path}}])


def _terms_kept(terms: Terms) -> dict[str, Any]:
    """What differs from nothing, so that two that mean the same are the same."""
    nothing: dict[str, Any] = msgspec.to_builtins(Terms())
    asked: dict[str, Any] = msgspec.to_builtins(terms)
    return {name: value for name, value in asked.items() if value != nothing[name]}


async def _newest_number(session: AsyncSession, dataset_id: UUID, name: str) -> int:
    rows = select(func.max(Offer.number)).where(Offer.dataset_id == dataset_id, Offer.name == name)
    return await session.scalar(rows) or 0


async def _record(session: AsyncSession, name: str, offer: Offer, by: Sender, body: dict[str, Any]) -> None:
    beside = by.beside if offer.startup_id is None else (*by.beside, offer.startup_id)
    told = {
        "offer": str(offer.id),
        "offer_name": offer.name,
        "number": offer.number,
        "startup": offer.startup_id,
        "valid_from": offer.valid_from,
        "valid_until": offer.valid_until,
        "via": by.via,
    }
    await record_sent(
        session, name, msgspec.structs.replace(by, beside=beside), dataset_id=offer.dataset_id, body=told | body
    )
