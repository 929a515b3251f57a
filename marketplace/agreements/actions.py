"""Verbs on applications: apply, resubmit, withdraw, accept, refuse. Each writes its event with its change."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec
from msgspec import UNSET
from sqlalchemy import or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.errors import ApplicationWrongState, NothingListed, OpenAlready
from marketplace.agreements.facts import agreement_question
from marketplace.agreements.joint import granted_by_both, lead_basis_points
from marketplace.agreements.machine import TRANSITIONS, ApplicationVerb, RefusalVerb
from marketplace.agreements.models import Agreement, Application
from marketplace.agreements.parties import Applicant, parties_of
from marketplace.agreements.permission import Permitted, record_decided, require_permission
from marketplace.agreements.terms import (
    Granted,
    Terms,
    check_justification,
    check_reason,
    check_records,
    latest_expiry,
    wanted_expiry,
)
from marketplace.audit.actions import record
from marketplace.billing.budget import grant_budget
from marketplace.db.base import new_id
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.listings.reads import ListedVersion, listed_version
from marketplace.offers.reads import open_offer, require_standing
from policies.decision import Decision
from policies.engine import Engine

_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended(:key, 2))")


async def apply(
    session: AsyncSession,
    engine: Engine,
    keys: Keys,
    *,
    application_id: uuid.UUID,
    dataset_id: uuid.UUID,
    terms: Terms,
    by: Applicant,
    at: datetime,
) -> Application:
    """Ask the owner for a dataset.

    Raises NotFound, NothingListed, OpenAlready, NoOffer, OfferNotOpen, Invalid, ApplicationDenied."""
    listed = await listed_now(session, dataset_id)
    application = Application(
        id=application_id,
        dataset_id=dataset_id,
        owner_id=listed.owner_id,
        partner_id=listed.partner_id,
        startup_id=by.organisation_id,
        applicant_id=by.person_id,
        state="submitted",
        created_at=at,
    )
    _set_terms(application, terms, listed, at)
    await _set_offer(session, application, terms, at)
    await _require_alone(session, application)
    permitted = await _permitted(session, engine, keys, application, listed, by, at)
    session.add(application)
    await session.flush()
    await _record_asked(session, "application:apply", application, by, permitted)
    return application


async def resubmit(
    session: AsyncSession,
    engine: Engine,
    keys: Keys,
    *,
    application_id: uuid.UUID,
    terms: Terms,
    by: Applicant,
    at: datetime,
) -> Application:
    """Answer a return with new terms.

    Raises NotFound, ApplicationWrongState, NoOffer, OfferNotOpen, Invalid, ApplicationDenied."""
    application = await locked(session, application_id, startup_id=by.organisation_id)
    step(application, "resubmit")
    listed = await listed_now(session, application.dataset_id)
    _set_terms(application, terms, listed, at)
    await _set_offer(session, application, terms, at)
    permitted = await _permitted(session, engine, keys, application, listed, by, at)
    await _record_asked(session, "application:resubmit", application, by, permitted)
    return application


async def withdraw(
    session: AsyncSession, *, application_id: uuid.UUID, by: Applicant, at: datetime
) -> Application:
    """Take an application back before it is decided. Raises NotFound, ApplicationWrongState."""
    application = await locked(session, application_id, startup_id=by.organisation_id)
    step(application, "withdraw")
    application.updated_at = at
    await _record(session, "application:withdraw", application, by, {})
    return application


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
    await _record(session, f"application:{decision}", application, by, {"reason": application.reason})
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


async def _permitted(
    session: AsyncSession,
    engine: Engine,
    keys: Keys,
    application: Application,
    listed: ListedVersion,
    by: Applicant,
    at: datetime,
) -> Permitted:
    """The decision that an application may be made. Raises ApplicationDenied."""
    until = latest_expiry(duration_days=application.duration_days, at=at)
    with session.no_autoflush:
        question = await agreement_question(
            session, application, listed, granted=Granted(), expires_at=until, stage="apply", at=at
        )
    return await require_permission(engine, keys, question, application, by)


async def _record_asked(
    session: AsyncSession, name: str, application: Application, by: Applicant, permitted: Permitted
) -> None:
    body = {
        "state": application.state,
        "version": permitted.question.dataset.version_id,
        "offer": application.offer_id,
    }
    await record_decided(session, name, permitted, application, by, body)


async def listed_now(session: AsyncSession, dataset_id: uuid.UUID) -> ListedVersion:
    """Raises NothingListed."""
    listed = await listed_version(session, dataset_id)
    if listed is None:
        raise NothingListed
    return listed


async def _require_alone(session: AsyncSession, application: Application) -> None:
    """No other one waits that would grant the same people the same; two at once wait for each other. Raises
    OpenAlready."""
    same = (application.startup_id, application.dataset_id, application.purpose)
    with session.no_autoflush:
        await session.execute(_ONE_AT_A_TIME, {"key": f"apply {same}"})
        other = await session.scalar(
            select(Application.id)
            .where(
                tuple_(Application.startup_id, Application.dataset_id, Application.purpose) == same,
                Application.people == application.people,
                Application.promises == application.promises,
                Application.offer_id.is_not_distinct_from(application.offer_id),
                Application.state.in_(("submitted", "returned")),
                Application.id != application.id,
            )
            .limit(1)
        )
    if other is not None:
        raise OpenAlready(application_id=str(other))


async def locked(
    session: AsyncSession,
    application_id: uuid.UUID,
    *,
    startup_id: uuid.UUID | None = None,
    owner_id: uuid.UUID | None = None,
) -> Application:
    """The application of that startup, or of that owner, alone or with another. Raises NotFound."""
    rows = select(Application).where(Application.id == application_id).with_for_update()
    rows = rows.execution_options(populate_existing=True)
    if startup_id is not None:
        rows = rows.where(Application.startup_id == startup_id)
    if owner_id is not None:
        rows = rows.where(or_(Application.owner_id == owner_id, Application.partner_id == owner_id))
    application = await session.scalar(rows)
    if application is None:
        raise NotFound
    return application


def step(application: Application, verb: ApplicationVerb) -> None:
    """Raises ApplicationWrongState."""
    state = TRANSITIONS.get((application.state, verb))
    if state is None:
        raise ApplicationWrongState(state=application.state, verb=verb)
    application.state = state


def _set_terms(application: Application, terms: Terms, listed: ListedVersion, at: datetime) -> None:
    check_records(terms.promises, listed.version)
    application.justification = check_justification(terms.justification)
    application.purpose = terms.purpose
    application.duration_days = terms.duration_days
    application.people = sorted(set(terms.people))
    application.promises = msgspec.to_builtins(terms.promises)
    application.updated_at = at


async def _set_offer(session: AsyncSession, application: Application, terms: Terms, at: datetime) -> None:
    """Raises NoOffer, OfferNotOpen."""
    with session.no_autoflush:
        application.offer_id = await open_offer(
            session,
            dataset_id=application.dataset_id,
            startup_id=application.startup_id,
            offer_id=terms.offer_id,
            at=at,
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


async def _record(
    session: AsyncSession,
    name: str,
    application: Application,
    by: Applicant | Approver,
    body: dict[str, object],
) -> None:
    await record(
        session,
        name,
        actor_person_id=by.person_id,
        actor_organisation_id=by.organisation_id,
        parties=parties_of(application),
        dataset_id=application.dataset_id,
        purpose=application.purpose,
        body={"application": str(application.id), "state": application.state, **body},
    )
