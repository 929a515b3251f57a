"""Verbs on linkages: propose, decide, end. Both owners see each event."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.joint.contribution import erase
from catalog.storage import Store
from marketplace.accounts.callers import Approver, Steward
from marketplace.accounts.errors import OrganisationSuspended
from marketplace.accounts.models import Organisation
from marketplace.agreements.ending import end_all
from marketplace.agreements.terms import check_reason
from marketplace.audit.actions import record
from marketplace.db.base import new_id
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.linkages.errors import LinkageWrongState, NoSuchOwner, PopulationTaken
from marketplace.linkages.guard import is_linked, is_listed
from marketplace.linkages.machine import TRANSITIONS, DecisionVerb, LinkageVerb
from marketplace.linkages.models import Contribution, Linkage
from marketplace.listings.models import Dataset, Lineage
from marketplace.listings.places import make_lineage
from marketplace.listings.searched import index_dataset


async def propose(
    session: AsyncSession,
    *,
    partner: str,
    population: str,
    purposes: Sequence[str],
    lead_basis_points: int,
    by: Steward,
    at: datetime,
) -> Linkage:
    """Ask another owner to join what both know of a population.

    Raises OrganisationSuspended, NoSuchOwner, PopulationTaken."""
    if by.organisation_suspended:
        raise OrganisationSuspended
    other = select(Organisation).where(Organisation.slug == partner, Organisation.kind == "owner")
    found = await session.scalar(other.where(Organisation.suspended_at.is_(None)))
    if found is None or found.id == by.organisation_id:
        raise NoSuchOwner(partner=partner)
    await _require_free(session, by.organisation_id, population)
    linkage = Linkage(
        id=new_id(),
        lead_id=by.organisation_id,
        partner_id=found.id,
        population=population,
        purposes=list(dict.fromkeys(purposes)),
        lead_basis_points=lead_basis_points,
        state="proposed",
        proposed_by=by.person_id,
        proposed_at=at,
    )
    session.add(linkage)
    await session.flush()
    terms = {"population": population, "purposes": linkage.purposes, "lead_basis_points": lead_basis_points}
    await record_linkage(session, "linkage:propose", linkage, by, terms)
    return linkage


async def decide(
    session: AsyncSession,
    keys: Keys,
    *,
    linkage_id: uuid.UUID,
    decision: DecisionVerb,
    reason: str,
    by: Approver,
    at: datetime,
) -> Linkage:
    """The partner's yes or no. A yes makes the lineage of the joint dataset, and the key that names its persons.

    Raises NotFound, OrganisationSuspended, LinkageWrongState, PopulationTaken, Invalid.
    """
    if by.organisation_suspended and decision == "approve":
        raise OrganisationSuspended
    linkage = await locked_linkage(session, linkage_id, organisation_id=by.organisation_id)
    if linkage.partner_id != by.organisation_id:
        raise LinkageWrongState(state=linkage.state, verb=decision)
    _step(linkage, decision)
    linkage.reason = check_reason(reason, required=decision == "refuse") or None
    linkage.decided_by, linkage.decided_at = by.person_id, at
    if decision == "approve":
        await _found(session, linkage, keys)
    await session.flush()
    await record_linkage(session, f"linkage:{decision}", linkage, by, {"reason": linkage.reason})
    return linkage


async def end(
    session: AsyncSession,
    keys: Keys,
    store: Store,
    *,
    linkage_id: uuid.UUID,
    reason: str,
    by: Approver,
    at: datetime,
) -> Linkage:
    """Either owner's, at any time: what was sent is erased, the joint dataset and agreements on it are over.

    Raises NotFound, LinkageWrongState, Invalid. Who proposed takes a proposal back so.
    """
    linkage = await locked_linkage(session, linkage_id, organisation_id=by.organisation_id)
    if linkage.state == "proposed" and linkage.lead_id != by.organisation_id:
        raise LinkageWrongState(state=linkage.state, verb="end")
    _step(linkage, "end")
    linkage.reason = check_reason(reason)
    linkage.ended_by, linkage.ended_at = by.person_id, at
    for contribution in await standing(session, linkage.id):
        erase_contribution(keys, store, contribution, at=at)
    dataset = await session.scalar(
        select(Dataset).where(Dataset.linkage_id == linkage.id).with_for_update(key_share=True)
    )
    if dataset is not None:
        dataset.current_version_id = None
        await session.flush()
        await index_dataset(session, dataset.id)
        await end_all(session, dataset_id=dataset.id, reason=linkage.reason, by=by, at=at)
    await session.flush()
    await record_linkage(session, "linkage:end", linkage, by, {"reason": linkage.reason})
    return linkage


async def locked_linkage(session: AsyncSession, linkage_id: uuid.UUID, *, organisation_id: uuid.UUID) -> Linkage:
    """Raises NotFound for a linkage of others."""
    mine = or_(Linkage.lead_id == organisation_id, Linkage.partner_id == organisation_id)
    rows = select(Linkage).where(Linkage.id == linkage_id, mine).with_for_update()
    linkage = await session.scalar(rows.execution_options(populate_existing=True))
    if linkage is None:
        raise NotFound
    return linkage


async def standing(session: AsyncSession, linkage_id: uuid.UUID) -> Sequence[Contribution]:
    """What waits for the next join: one of each owner at most. The caller holds the linkage's lock."""
    rows = select(Contribution).where(Contribution.linkage_id == linkage_id, Contribution.erased_at.is_(None))
    return (await session.scalars(rows.execution_options(populate_existing=True))).all()


def erase_contribution(keys: Keys, store: Store, contribution: Contribution, *, at: datetime) -> None:
    """Key first, then files. Should the transaction fail, its owner sends again: nothing stays by mistake."""
    keys.forget_contribution(contribution.id)
    erase(store, str(contribution.id))
    contribution.erased_at = at


async def record_linkage(
    session: AsyncSession, name: str, linkage: Linkage, by: Steward | Approver, body: dict[str, Any]
) -> None:
    """An event that both owners may read."""
    await record(
        session,
        name,
        by=by,
        parties=(linkage.lead_id, linkage.partner_id),
        body={"linkage": str(linkage.id), "state": linkage.state, **body},
    )


def _step(linkage: Linkage, verb: LinkageVerb) -> None:
    state = TRANSITIONS.get((linkage.state, verb))
    if state is None:
        raise LinkageWrongState(state=linkage.state, verb=verb)
    linkage.state = state


async def _found(session: AsyncSession, linkage: Linkage, keys: Keys) -> None:
    """Under the locks of both owners' own lineages of this population, so that neither is listed meanwhile."""
    for owner_id in sorted((linkage.lead_id, linkage.partner_id)):
        await make_lineage(session, owner_id=owner_id, population=linkage.population, mode="aggregate")
        await _require_free(session, owner_id, linkage.population, but=linkage.id)
    # No manifest can name it: an owner's slug holds no colon.
    lineage = Lineage(id=new_id(), owner_id=linkage.lead_id, population=f"linkage:{linkage.id}", mode="aggregate")
    session.add(lineage)
    await session.flush()
    keys.lineage(lineage.id)
    linkage.lineage_id = lineage.id


async def _require_free(
    session: AsyncSession, owner_id: uuid.UUID, population: str, *, but: uuid.UUID | None = None
) -> None:
    if await is_listed(session, owner_id=owner_id, population=population) or await is_linked(
        session, owner_id=owner_id, population=population, but=but
    ):
        raise PopulationTaken(population=population)
