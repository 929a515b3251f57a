"""Applications: a startup makes them, an owner's approver answers them."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta
from typing import Literal

from litestar import get, post
from litestar.response import Redirect, Template
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver, Caller, Startup
from marketplace.accounts.reads import colleagues
from marketplace.agreements.actions import accept, refuse, resubmit, withdraw
from marketplace.agreements.machine import DecisionVerb
from marketplace.agreements.parties import as_applicant, as_decider, as_side
from marketplace.agreements.reads import list_applications, read_application
from marketplace.agreements.schemas import ApplicationView
from marketplace.agreements.terms import Granted, Terms
from marketplace.db.base import utcnow
from marketplace.errors import NotFound, Problem
from marketplace.listings.permission import Desk
from marketplace.listings.reads import read_dataset
from marketplace.web.figures import VIETNAM
from marketplace.web.forms import Form, wrong
from marketplace.web.handlers.apply import terms_of, what_is_wrong
from marketplace.web.view import View
from policies.decision import Conditions

DECISIONS: dict[DecisionVerb, Literal["accepted", "rejected", "returned"]] = {
    "accept": "accepted",
    "reject": "rejected",
    "return": "returned",
}


class Entered(Struct, frozen=True, kw_only=True):
    """What the approver had filled in, shown again after a mistake."""

    decision: str = ""
    reason: str = ""
    expires_on: str = ""


@get("/applications")
async def show_applications(
    view: View, caller: Caller, session: AsyncSession, cursor: str | None = None
) -> Template:
    """The organisation's applications: made by a startup, received by an owner."""
    side = as_side(caller)
    listed = await list_applications(session, organisation_id=side.organisation_id, cursor=cursor)
    return view.page("applications.html", listed=listed)


@get("/applications/{application_id:uuid}")
async def show_application(
    view: View, caller: Caller, session: AsyncSession, application_id: uuid.UUID
) -> Template:
    """One application, with what its reader may do about it."""
    return await _application_page(view, caller, session, application_id)


@post("/applications/{application_id:uuid}/decision", status_code=200)
async def send_decision(
    view: View,
    approver: Approver,
    session: AsyncSession,
    desk: Desk,
    application_id: uuid.UUID,
    form: Form,
) -> Template | Redirect:
    """Accept, reject or return; with a mistake, the page again and why."""
    entered = Entered(
        decision=form.text("decision"), reason=form.text("reason"), expires_on=form.text("expires_on")
    )
    try:
        decision = _decision(entered.decision)
        async with session.begin_nested():
            by, at = as_decider(approver), utcnow()
            if decision == "accept":
                await accept(
                    session,
                    desk,
                    application_id=application_id,
                    reason=entered.reason,
                    granted=_granted(form, await _read(session, approver, application_id)),
                    by=by,
                    at=at,
                )
            else:
                await refuse(
                    session, application_id=application_id, decision=decision, reason=entered.reason, by=by, at=at
                )
    except NotFound:
        raise
    except Problem as problem:
        return await _application_page(view, approver, session, application_id, entered=entered, problem=problem)
    return Redirect(f"/applications/{application_id}?done={DECISIONS[decision]}", status_code=303)


@post("/applications/{application_id:uuid}/resubmit", status_code=200)
async def send_again(
    view: View,
    startup: Startup,
    session: AsyncSession,
    desk: Desk,
    application_id: uuid.UUID,
    form: Form,
) -> Template | Redirect:
    """New terms after a return."""
    terms = terms_of(form)
    try:
        async with session.begin_nested():
            await resubmit(
                session, desk, application_id=application_id, terms=terms, by=as_applicant(startup), at=utcnow()
            )
    except NotFound:
        raise
    except Problem as problem:
        return await _application_page(view, startup, session, application_id, terms=terms, problem=problem)
    return Redirect(f"/applications/{application_id}?done=resubmitted", status_code=303)


@post("/applications/{application_id:uuid}/withdraw", status_code=200)
async def take_back(view: View, startup: Startup, session: AsyncSession, application_id: uuid.UUID) -> Redirect:
    """Withdraw before it is decided."""
    await withdraw(session, application_id=application_id, by=as_applicant(startup), at=utcnow())
    return Redirect(f"/applications/{application_id}?done=withdrawn", status_code=303)


def _decision(text: str) -> DecisionVerb:
    for verb in DECISIONS:
        if verb == text:
            return verb
    raise wrong("decision", "form.choice")


def _granted(form: Form, application: ApplicationView) -> Granted:
    """What the approver chose in the form."""
    return Granted(expires_at=_end_of(form, application), purpose_judged=form.text("purpose_judged") == "yes")


def _end_of(form: Form, application: ApplicationView) -> datetime | None:
    """The end of the day chosen, in Viet Nam; the last day that fits means the whole duration asked for."""
    day = form.day("expires_on")
    if day is None:
        return None
    end = datetime.combine(day, time.max, VIETNAM).replace(microsecond=0)
    latest = utcnow() + timedelta(days=application.duration_days)
    return None if latest.astimezone(VIETNAM).date() == day else end


async def _read(session: AsyncSession, caller: Caller, application_id: uuid.UUID) -> ApplicationView:
    return await read_application(session, application_id=application_id, organisation_id=caller.organisation_id)


async def _application_page(
    view: View,
    caller: Caller,
    session: AsyncSession,
    application_id: uuid.UUID,
    *,
    terms: Terms | None = None,
    entered: Entered | None = None,
    problem: Problem | None = None,
) -> Template:
    application = await _read(session, as_side(caller), application_id)
    dataset = await read_dataset(session, application.dataset_id)
    return view.page(
        "application.html",
        application=application,
        terms=terms or _terms_of(application),
        key="",
        entered=entered or Entered(),
        purposes=dataset.purposes if dataset else (),
        conditions=dataset.conditions if dataset else Conditions(),
        colleagues=await colleagues(session, application.startup_id) if _edits(caller, application) else (),
        **what_is_wrong(view, problem),
    )


def _edits(caller: Caller, application: ApplicationView) -> bool:
    return caller.organisation_id == application.startup_id and application.state == "returned"


def _terms_of(application: ApplicationView) -> Terms:
    return Terms(
        purpose=application.purpose,
        justification=application.justification,
        duration_days=application.duration_days,
        people=tuple(person.id for person in application.people),
        promises=application.promises,
    )


handlers = [
    show_applications,
    show_application,
    send_decision,
    send_again,
    take_back,
]
