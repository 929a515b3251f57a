"""Applications: a startup makes them, an owner's approver answers them."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta
from typing import Any, Literal

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver, Caller, Startup
from marketplace.accounts.reads import colleagues
from marketplace.agreements.actions import apply, decide, resubmit, withdraw
from marketplace.agreements.machine import DecisionVerb
from marketplace.agreements.parties import Applicant, as_applicant, as_decider, as_side
from marketplace.agreements.reads import list_applications, read_application
from marketplace.agreements.schemas import ApplicationView
from marketplace.agreements.terms import Terms
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.errors import NotFound, Problem
from marketplace.listings.reads import read_dataset
from marketplace.web.explain import explain_errors, explain_problem
from marketplace.web.figures import VIETNAM
from marketplace.web.forms import Form, wrong
from marketplace.web.view import View

DURATION_DAYS = 180
"""What the form proposes."""
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


@get("/datasets/{slug:str}/apply")
async def show_apply(view: View, startup: Startup, session: AsyncSession, slug: str) -> Template:
    """The form of an application."""
    terms = Terms(purpose="", justification="", duration_days=DURATION_DAYS, people=(startup.person_id,))
    return await _apply_page(view, startup, session, slug, terms)


@post("/datasets/{slug:str}/apply", status_code=200)
async def send_application(
    view: View, startup: Startup, session: AsyncSession, slug: str, form: Form
) -> Template | Redirect:
    """Apply; with mistakes, the form again and all of them."""
    dataset = await read_dataset(session, slug)
    if dataset is None:
        raise NotFound
    terms = _terms(form)
    try:
        async with session.begin_nested():
            application_id = await _apply_once(session, as_applicant(startup), dataset.id, terms, form.text("key"))
    except Problem as problem:
        return await _apply_page(view, startup, session, slug, terms, problem)
    return Redirect(f"/applications/{application_id}?done=applied", status_code=303)


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
    view: View, approver: Approver, session: AsyncSession, application_id: uuid.UUID, form: Form
) -> Template | Redirect:
    """Accept, reject or return; with a mistake, the page again and why."""
    entered = Entered(
        decision=form.text("decision"), reason=form.text("reason"), expires_on=form.text("expires_on")
    )
    try:
        decision = _decision(entered.decision)
        async with session.begin_nested():
            await decide(
                session,
                application_id=application_id,
                decision=decision,
                reason=entered.reason,
                expires_at=_end_of(form, await _read(session, approver, application_id)),
                by=as_decider(approver),
                at=utcnow(),
            )
    except NotFound:
        raise
    except Problem as problem:
        return await _application_page(view, approver, session, application_id, entered=entered, problem=problem)
    return Redirect(f"/applications/{application_id}?done={DECISIONS[decision]}", status_code=303)


@post("/applications/{application_id:uuid}/resubmit", status_code=200)
async def send_again(
    view: View, startup: Startup, session: AsyncSession, application_id: uuid.UUID, form: Form
) -> Template | Redirect:
    """New terms after a return."""
    terms = _terms(form)
    try:
        async with session.begin_nested():
            await resubmit(
                session, application_id=application_id, terms=terms, by=as_applicant(startup), at=utcnow()
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


async def _apply_once(
    session: AsyncSession, by: Applicant, dataset_id: uuid.UUID, terms: Terms, key: str
) -> uuid.UUID:
    """The application's id; the form's hidden key makes a second press the same one."""
    body = msgspec.json.encode((str(dataset_id), terms))
    wanted = new_id()
    first = wanted
    if key:
        first = await claim(session, organisation_id=by.organisation_id, key=key, body=body, subject_id=wanted)
    if first == wanted:
        await apply(session, application_id=wanted, dataset_id=dataset_id, terms=terms, by=by, at=utcnow())
    return first


def _terms(form: Form) -> Terms:
    return Terms(
        purpose=form.text("purpose"),
        justification=form.text("justification"),
        duration_days=form.integer("duration_days"),
        people=form.ids("people"),
    )


def _decision(text: str) -> DecisionVerb:
    for verb in DECISIONS:
        if verb == text:
            return verb
    raise wrong("decision", "form.choice")


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


async def _apply_page(
    view: View, startup: Startup, session: AsyncSession, slug: str, terms: Terms, problem: Problem | None = None
) -> Template:
    dataset = await read_dataset(session, slug)
    if dataset is None:
        raise NotFound
    people = await colleagues(session, startup.organisation_id)
    return view.page(
        "apply.html", dataset=dataset, terms=terms, colleagues=people, key=str(new_id()), **_wrong(view, problem)
    )


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
        colleagues=await colleagues(session, application.startup_id) if _edits(caller, application) else (),
        **_wrong(view, problem),
    )


def _edits(caller: Caller, application: ApplicationView) -> bool:
    return caller.organisation_id == application.startup_id and application.state == "returned"


def _terms_of(application: ApplicationView) -> Terms:
    return Terms(
        purpose=application.purpose,
        justification=application.justification,
        duration_days=application.duration_days,
        people=tuple(person.id for person in application.people),
    )


def _wrong(view: View, problem: Problem | None) -> dict[str, Any]:
    if problem is None:
        return {"problem": None, "errors": (), "status": 200}
    return {
        "problem": explain_problem(view, problem),
        "errors": explain_errors(view, problem),
        "status": problem.status,
    }


handlers = [
    show_apply,
    send_application,
    show_applications,
    show_application,
    send_decision,
    send_again,
    take_back,
]
