"""The owner's answer to an application, and what would come of it before it is given."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Literal

from litestar import post
from litestar.response import Redirect, Template

from marketplace.accounts.callers import Approver
from marketplace.agreements.deciding import refuse
from marketplace.agreements.machine import DecisionVerb
from marketplace.agreements.parties import as_decider
from marketplace.agreements.preview import preview_acceptance
from marketplace.agreements.reads import read_application
from marketplace.agreements.terms import Granted
from marketplace.agreements.yes import say_yes
from marketplace.calendar import VIETNAM
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import NotFound, Problem
from marketplace.web.application import Entered, application_page
from marketplace.web.forms import Form, wrong
from marketplace.web.view import View
from policies.engine import Engine

DECISIONS: dict[DecisionVerb, Literal["accepted", "rejected", "returned"]] = {
    "accept": "accepted",
    "reject": "rejected",
    "return": "returned",
}


@post("/applications/{application_id:uuid}/decision", status_code=200)
async def send_decision(
    view: View,
    approver: Approver,
    database: Database,
    engine: Engine,
    keys: Keys,
    application_id: uuid.UUID,
    form: Form,
) -> Template | Redirect:
    """Accept, reject or return; with a mistake, the page again and why."""
    entered, at = _entered(form), utcnow()
    try:
        by, decision = as_decider(approver), _decision(entered.decision)
        granted = await _granted(database, by, application_id, form, at) if decision == "accept" else Granted()
        async with database.session() as session:
            if decision == "accept":
                await say_yes(session, engine, keys, application_id=application_id, reason=entered.reason,
                             granted=granted, by=by, at=at)  # fmt: skip
            else:
                await refuse(session, application_id=application_id, decision=decision, reason=entered.reason,
                             by=by, at=at)  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        async with database.session() as session:
            return await application_page(
                view, approver, session, application_id, entered=entered, problem=problem
            )
    return Redirect(f"/applications/{application_id}?done={DECISIONS[decision]}", status_code=303)


@post("/applications/{application_id:uuid}/preview", status_code=200)
async def show_acceptance(
    view: View,
    approver: Approver,
    database: Database,
    engine: Engine,
    keys: Keys,
    config: Config,
    application_id: uuid.UUID,
    form: Form,
) -> Template:
    """What the startup could ask if it were accepted as filled in; nothing is decided."""
    entered, at = _entered(form), utcnow()
    answer, wrong_with_it = None, None
    try:
        by = as_decider(approver)
        granted = await _granted(database, by, application_id, form, at)
        async with database.session() as session:
            answer = await preview_acceptance(
                session, engine, config, application_id=application_id, terms=granted, by=by, at=at
            )
    except NotFound:
        raise
    except Problem as problem:
        wrong_with_it = problem
    async with database.session() as session:
        return await application_page(
            view, approver, session, application_id, entered=entered, answer=answer, problem=wrong_with_it
        )


def _entered(form: Form) -> Entered:
    return Entered(
        decision=form.text("decision"),
        reason=form.text("reason"),
        expires_on=form.text("expires_on"),
        columns=_columns(form),
        max_rows=form.text("max_rows").strip(),
        purpose_judged=_judged(form),
    )


def _decision(text: str) -> DecisionVerb:
    for verb in DECISIONS:
        if verb == text:
            return verb
    raise wrong("decision", "form.choice")


async def _granted(
    database: Database, by: Approver, application_id: uuid.UUID, form: Form, at: datetime
) -> Granted:
    """What the approver chose in the form. Raises NotFound, Invalid."""
    async with database.session() as session:
        application = await read_application(
            session, application_id=application_id, organisation_id=by.organisation_id
        )
    return Granted(
        expires_at=_end_of(form.day("expires_on"), application.duration_days, at),
        columns=_columns(form),
        max_rows=_amount(form, "max_rows"),
        purpose_judged=_judged(form),
    )


def _columns(form: Form) -> tuple[str, ...] | None:
    """None where the form had no columns to choose from."""
    return form.texts("columns") if form.text("narrowed") else None


def _judged(form: Form) -> bool:
    return form.text("purpose_judged") == "yes"


def _end_of(day: date | None, duration_days: int, at: datetime) -> datetime | None:
    """The end of the day chosen, in Viet Nam; the last day that fits means the whole duration asked for."""
    if day is None:
        return None
    end = datetime.combine(day, time.max, VIETNAM).replace(microsecond=0)
    latest = at + timedelta(days=duration_days)
    return None if latest.astimezone(VIETNAM).date() == day else end


def _amount(form: Form, name: str) -> int | None:
    """None when empty. Raises Invalid when it is no whole number above zero."""
    if not form.text(name).strip():
        return None
    amount = form.integer(name)
    if amount < 1:
        raise wrong(name, "form.integer")
    return amount


handlers = [send_decision, show_acceptance]
