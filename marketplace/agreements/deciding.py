"""The owner's verbs on applications: accept, refuse. Each writes its event with its change."""

from __future__ import annotations

import uuid
from datetime import datetime

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.facts import agreement_question
from marketplace.agreements.joint import granted_by_both, lead_basis_points
from marketplace.agreements.machine import RefusalVerb
from marketplace.agreements.models import Agreement, Application
from marketplace.agreements.permission import record_decided, require_permission
from marketplace.agreements.steps import listed_now, locked, record_step, step
from marketplace.agreements.terms import Granted, check_reason, wanted_expiry
from marketplace.billing.budget import grant_budget
from marketplace.db.base import new_id
from marketplace.db.keys import Keys
from marketplace.listings.reads import ListedVersion
from marketplace.offers.reads import open_offer, require_standing
from policies.decision import Decision
from policies.engine import Engine


async def accept(
    session: AsyncSession,
    engine: Engine,
    keys: Keys,
    *,
    application_id: uuid.UUID,
    reason: str,
    granted: Granted,
    by: Approver,
    at: datetime,
) -> Agreement:
    """The owner's yes makes the agreement; of a joint dataset that of the owner who says it last.

    Raises NotFound, ApplicationWrongState, NothingListed, Invalid, ApplicationDenied, OtherYesMissing, YesAlready,
    GrantsApart, LineageSpent, OfferNotOpen.
    """
    application = await locked(session, application_id, owner_id=by.organisation_id)
    granted = granted_by_both(application, by, granted)
    step(application, "accept")
    application.reason = check_reason(reason, required=False)
    listed = await listed_now(session, application.dataset_id)
    until = wanted_expiry(wanted=granted.expires_at, duration_days=application.duration_days, at=at)
    question = await agreement_question(
        session, application, listed, granted=granted, expires_at=until, stage="accept", at=at
    )
    permitted = await require_permission(engine, keys, question, application, by)
    application.decided_by, application.decided_at, application.updated_at = by.person_id, at, at
    agreement = _agree(application, permitted.decision, granted, at, until)
    agreement.partner_id = application.partner_id
    agreement.offer_id = await _offer_agreed(session, application, at)
    agreement.lead_basis_points = await lead_basis_points(session, application)
    session.add(agreement)
    await session.flush()
    await _grant_budget(session, agreement, listed)
    body = {
        "state": application.state,
        "reason": application.reason,
        "expires_at": agreement.expires_at.isoformat(),
        "offer": agreement.offer_id,
    }
    await record_decided(
        session, "application:accept", permitted, application, by, body, agreement_id=agreement.id
    )
    return agreement


async def refuse(
    session: AsyncSession,
    *,
    application_id: uuid.UUID,
    decision: RefusalVerb,
    reason: str,
    by: Approver,
    at: datetime,
) -> Application:
    """The owner's no, or its wish for other terms. Raises NotFound, ApplicationWrongState, Invalid."""
    application = await locked(session, application_id, owner_id=by.organisation_id)
    step(application, decision)
    application.reason, application.first_yes = check_reason(reason), None
    application.decided_by, application.decided_at, application.updated_at = by.person_id, at, at
    await record_step(session, f"application:{decision}", application, by, {"reason": application.reason})
    return application


async def _grant_budget(session: AsyncSession, agreement: Agreement, listed: ListedVersion) -> None:
    """In dp mode, out of what the lineage has left. Raises LineageSpent."""
    privacy = listed.version.privacy
    if privacy is UNSET:
        return
    await grant_budget(
        session,
        lineage_id=listed.lineage_id,
        agreement_id=agreement.id,
        cap_micro=privacy.rho_cap_micro,
        share_micro=privacy.rho_agreement_micro,
    )


def _agree(
    application: Application, decision: Decision, granted: Granted, at: datetime, until: datetime
) -> Agreement:
    """What the policy's obligations leave of what both sides want."""
    owed = decision.obligations
    assert owed is not None  # an allowed decision carries obligations
    limits = granted.limits()
    limits.pop("columns", None)  # the agreement's own columns are what came of them
    return Agreement(
        id=new_id(),
        application_id=application.id,
        dataset_id=application.dataset_id,
        owner_id=application.owner_id,
        startup_id=application.startup_id,
        purpose=application.purpose,
        purpose_judged=granted.purpose_judged,
        people=application.people,
        promises=application.promises,
        limits=limits,
        columns=list(owed.columns),
        valid_from=at,
        expires_at=until,
        created_at=at,
    )


async def _offer_agreed(session: AsyncSession, application: Application, at: datetime) -> uuid.UUID:
    """Both sides saw the version that was applied for. Raises OfferNotOpen, NoOffer."""
    if application.offer_id is None:
        return await open_offer(
            session,
            dataset_id=application.dataset_id,
            startup_id=application.startup_id,
            offer_id=None,
            at=at,
        )
    await require_standing(session, offer_id=application.offer_id, at=at)
    return application.offer_id
