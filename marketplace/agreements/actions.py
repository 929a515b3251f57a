"""Verbs on applications: apply, resubmit, withdraw, decide. Each writes its event in the same transaction."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.errors import ApplicationWrongState, NothingListed
from marketplace.agreements.machine import TRANSITIONS, ApplicationVerb, DecisionVerb
from marketplace.agreements.models import Agreement, Application
from marketplace.agreements.parties import Applicant
from marketplace.agreements.terms import Terms, agreed_expiry, check_reason, check_terms
from marketplace.audit.actions import record
from marketplace.db.base import new_id
from marketplace.errors import NotFound
from marketplace.listings.reads import ListedVersion, listed_version


async def apply(
    session: AsyncSession,
    *,
    application_id: uuid.UUID,
    dataset_id: uuid.UUID,
    terms: Terms,
    by: Applicant,
    at: datetime,
) -> Application:
    """Ask the owner for a dataset. Raises NotFound, NothingListed, Invalid with every wrong term."""
    listed = await _listed(session, dataset_id)
    await check_terms(session, terms=terms, startup_id=by.organisation_id, purposes=listed.version.purposes)
    application = Application(
        id=application_id,
        dataset_id=dataset_id,
        owner_id=listed.owner_id,
        startup_id=by.organisation_id,
        applicant_id=by.person_id,
        state="submitted",
        created_at=at,
    )
    _set_terms(application, terms, at)
    session.add(application)
    await session.flush()
    await _record(session, "application:apply", application, by, {"version": listed.version.id})
    return application


async def resubmit(
    session: AsyncSession, *, application_id: uuid.UUID, terms: Terms, by: Applicant, at: datetime
) -> Application:
    """Answer a return with new terms. Raises NotFound, ApplicationWrongState, Invalid."""
    application = await _locked(session, application_id, startup_id=by.organisation_id)
    _step(application, "resubmit")
    listed = await _listed(session, application.dataset_id)
    await check_terms(session, terms=terms, startup_id=by.organisation_id, purposes=listed.version.purposes)
    _set_terms(application, terms, at)
    await _record(session, "application:resubmit", application, by, {"version": listed.version.id})
    return application


async def withdraw(
    session: AsyncSession, *, application_id: uuid.UUID, by: Applicant, at: datetime
) -> Application:
    """Take an application back before it is decided. Raises NotFound, ApplicationWrongState."""
    application = await _locked(session, application_id, startup_id=by.organisation_id)
    _step(application, "withdraw")
    application.updated_at = at
    await _record(session, "application:withdraw", application, by, {})
    return application


async def decide(
    session: AsyncSession,
    *,
    application_id: uuid.UUID,
    decision: DecisionVerb,
    reason: str,
    expires_at: datetime | None,
    by: Approver,
    at: datetime,
) -> tuple[Application, Agreement | None]:
    """The owner's answer; `accept` makes the agreement. Raises NotFound, ApplicationWrongState, Invalid."""
    application = await _locked(session, application_id, owner_id=by.organisation_id)
    _step(application, decision)
    application.reason = check_reason(reason, required=decision != "accept")
    application.decided_by, application.decided_at, application.updated_at = by.person_id, at, at
    agreement = None
    if decision == "accept":
        listed = await _listed(session, application.dataset_id)
        agreement = _agree(application, listed, agreed_expiry(
            wanted=expires_at, duration_days=application.duration_days, at=at), at)  # fmt: skip
        session.add(agreement)
        await session.flush()
    body: dict[str, object] = {
        "reason": application.reason,
        "expires_at": agreement.expires_at.isoformat() if agreement else None,
    }
    await _record(session, f"application:{decision}", application, by, body, agreement)
    return application, agreement


def _agree(application: Application, listed: ListedVersion, expires_at: datetime, at: datetime) -> Agreement:
    return Agreement(
        id=new_id(),
        application_id=application.id,
        dataset_id=application.dataset_id,
        owner_id=application.owner_id,
        startup_id=application.startup_id,
        purpose=application.purpose,
        people=application.people,
        columns=[column.name for column in listed.version.columns],
        valid_from=at,
        expires_at=expires_at,
        created_at=at,
    )


async def _listed(session: AsyncSession, dataset_id: uuid.UUID) -> ListedVersion:
    listed = await listed_version(session, dataset_id)
    if listed is None:
        raise NothingListed
    return listed


async def _locked(
    session: AsyncSession,
    application_id: uuid.UUID,
    *,
    startup_id: uuid.UUID | None = None,
    owner_id: uuid.UUID | None = None,
) -> Application:
    rows = select(Application).where(Application.id == application_id).with_for_update()
    rows = rows.execution_options(populate_existing=True)
    if startup_id is not None:
        rows = rows.where(Application.startup_id == startup_id)
    if owner_id is not None:
        rows = rows.where(Application.owner_id == owner_id)
    application = await session.scalar(rows)
    if application is None:
        raise NotFound
    return application


def _step(application: Application, verb: ApplicationVerb) -> None:
    state = TRANSITIONS.get((application.state, verb))
    if state is None:
        raise ApplicationWrongState(state=application.state, verb=verb)
    application.state = state


def _set_terms(application: Application, terms: Terms, at: datetime) -> None:
    application.purpose = terms.purpose
    application.justification = terms.justification.strip()
    application.duration_days = terms.duration_days
    application.people = sorted(set(terms.people))
    application.updated_at = at


async def _record(
    session: AsyncSession,
    name: str,
    application: Application,
    by: Applicant | Approver,
    body: dict[str, object],
    agreement: Agreement | None = None,
) -> None:
    await record(
        session,
        name,
        actor_person_id=by.person_id,
        actor_organisation_id=by.organisation_id,
        parties=(application.owner_id, application.startup_id),
        dataset_id=application.dataset_id,
        agreement_id=agreement.id if agreement else None,
        purpose=application.purpose,
        body={"application": str(application.id), "state": application.state, **body},
    )
