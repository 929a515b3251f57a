"""The startup's verbs on applications: apply, resubmit, withdraw. Each writes its event with its change."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec
from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.agreements.errors import OpenAlready
from marketplace.agreements.facts import agreement_question
from marketplace.agreements.models import Application
from marketplace.agreements.parties import Applicant
from marketplace.agreements.permission import Permitted, record_decided, require_permission
from marketplace.agreements.steps import listed_now, locked, record_step, step
from marketplace.agreements.terms import Granted, Terms, check_terms, latest_expiry
from marketplace.db.base import new_id
from marketplace.db.idempotency import claim
from marketplace.db.keys import Keys
from marketplace.listings.reads import ListedVersion
from marketplace.offers.reads import open_offer
from policies.engine import Engine

_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended(:key, 2))")


async def apply_once(
    session: AsyncSession,
    engine: Engine,
    keys: Keys,
    *,
    dataset_id: uuid.UUID,
    terms: Terms,
    by: Applicant,
    at: datetime,
    key: str | None,
) -> uuid.UUID:
    """The application's id; the same key and terms again give the one of then. Raises as `apply`, KeyReused."""
    new, body = new_id(), msgspec.json.encode((str(dataset_id), terms))
    first = await claim(session, by.organisation_id, key, body, new)
    if first == new:
        await apply(session, engine, keys, application_id=new, dataset_id=dataset_id, terms=terms, by=by, at=at)
    return first


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

    Raises NotFound, ApplicationWrongState, NothingListed, OpenAlready, NoOffer, OfferNotOpen, Invalid,
    ApplicationDenied."""
    application = await locked(session, application_id, startup_id=by.organisation_id)
    step(application, "resubmit")
    listed = await listed_now(session, application.dataset_id)
    _set_terms(application, terms, listed, at)
    await _set_offer(session, application, terms, at)
    await _require_alone(session, application)
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
    await record_step(session, "application:withdraw", application, by, {})
    return application


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


def _set_terms(application: Application, terms: Terms, listed: ListedVersion, at: datetime) -> None:
    check_terms(terms, listed.version)
    application.justification = terms.justification.strip()
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
