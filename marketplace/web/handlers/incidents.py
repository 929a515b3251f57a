"""Breaches: the list with its deadlines, the form that opens one, the report that can be printed."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.calendar import VIETNAM
from marketplace.db.base import new_id, utcnow
from marketplace.errors import Forbidden, NotFound, Problem
from marketplace.oversight.incidents import (
    TRANSITIONS,
    NewIncident,
    Step,
    datasets_of,
    may_take,
    open_incident,
    require_part,
    take_step,
)
from marketplace.oversight.report import incident_views, report_for
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, fitting, wrong
from marketplace.web.headers import as_file
from marketplace.web.names import all_datasets, names_of
from marketplace.web.view import View

INSTANTS = ("since", "until", "known_at")


@get("/incidents")
async def show_incidents(view: View, caller: Caller, session: AsyncSession) -> Template:
    """Those that the caller may see, and the form for a new one."""
    return await _list(view, caller, session)


@post("/incidents", status_code=200)
async def start_incident(view: View, caller: Caller, session: AsyncSession, form: Form) -> Template | Redirect:
    """Open one; the clock runs from when it is known. With a mistake, the form again."""
    require_part(caller)
    incident_id = new_id()
    try:
        told = {
            "title": form.text("title"), "note": form.text("note"), "dataset_ids": form.ids("dataset"),
            **{name: _instant(form, name) for name in INSTANTS},
        }  # fmt: skip
        async with session.begin_nested():
            await open_incident(session, incident_id=incident_id, asked=fitting(told, NewIncident), by=caller)
    except Problem as problem:
        return await _list(view, caller, session, problem, form)
    return Redirect(f"/incidents/{incident_id}?done=incident_opened", status_code=303)


@get("/incidents/{incident_id:uuid}")
async def show_incident(view: View, caller: Caller, session: AsyncSession, incident_id: uuid.UUID) -> Template:
    """Its report as of now, and the steps that its state has."""
    return await _one(view, caller, session, incident_id)


async def _one(
    view: View,
    caller: Caller,
    session: AsyncSession,
    incident_id: uuid.UUID,
    problem: Problem | None = None,
    note: str = "",
) -> Template:
    report = await report_for(session, incident_id=incident_id, by=caller)
    names = await names_of(
        session,
        people=(step.person_id for step in report.timeline),
        organisations=(
            *(step.organisation_id for step in report.timeline), *(use.startup_id for use in report.uses),
        ),
    )  # fmt: skip
    one = report.incident
    verbs = [
        verb
        for state, verb in TRANSITIONS
        if state == one.state and may_take(verb, opener_id=one.organisation_id, by=caller)
    ]
    slugs = {each.dataset_id: each.slug for each in report.datasets}
    return view.page(
        "incident.html", report=report, people=names, verbs=verbs, slugs=slugs, now=utcnow(), note=note,
        **what_is_wrong(view, problem),
    )  # fmt: skip


@get("/incidents/{incident_id:uuid}/report")
async def download_report(caller: Caller, session: AsyncSession, incident_id: uuid.UUID) -> Response[bytes]:
    """The report as JSON."""
    report = await report_for(session, incident_id=incident_id, by=caller)
    return as_file(msgspec.json.encode(report), "application/json", f"incident-{incident_id}.json")


@post("/incidents/{incident_id:uuid}/steps", status_code=200)
async def lead_incident(
    view: View, caller: Caller, session: AsyncSession, incident_id: uuid.UUID, form: Form
) -> Template | Redirect:
    """One step."""
    note = form.text("note")
    try:
        async with session.begin_nested():
            step = fitting({"verb": form.text("verb"), "note": note}, Step)
            await take_step(session, incident_id=incident_id, step=step, by=caller)
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        return await _one(view, caller, session, incident_id, problem, note)
    return Redirect(f"/incidents/{incident_id}?done=incident_step", status_code=303)


async def _list(
    view: View, caller: Caller, session: AsyncSession, problem: Problem | None = None, form: Form | None = None
) -> Template:
    datasets = await all_datasets(session)
    if caller.organisation_kind == "owner":
        mine = await datasets_of(session, caller.organisation_id)
        datasets = [each for each in datasets if each[0] in mine]
    return view.page(
        "incidents.html",
        incidents=await incident_views(session, caller),
        datasets=datasets,
        entered={name: form.text(name) if form else "" for name in ("title", "note", *INSTANTS)},
        chosen=form.texts("dataset") if form else (),
        **what_is_wrong(view, problem),
    )


def _instant(form: Form, name: str) -> datetime:
    """As the browser sends it, in Viet Nam's time."""
    try:
        return datetime.fromisoformat(form.text(name)).replace(tzinfo=VIETNAM)
    except ValueError as error:
        raise wrong(name, "form.day") from error


handlers = [show_incidents, start_incident, show_incident, download_report, lead_incident]
