"""`Vì sao?`: each gate of a decision, for the analyst who asks, and for every party to what was decided."""

from __future__ import annotations

import uuid
from typing import Any, Final, get_args

from litestar import get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.allowance import PAGE
from marketplace.accounts.callers import Analyst, Caller
from marketplace.agreements.reads import read_agreement
from marketplace.agreements.schemas import AgreementView
from marketplace.audit.api import viewer_of
from marketplace.audit.receipt import Edition
from marketplace.db.base import utcnow
from marketplace.errors import NotFound, Problem
from marketplace.listings.reads import listed_version
from marketplace.oversight.search import Search
from marketplace.oversight.viewing import view_events
from marketplace.queries.explain import explain, explain_decided
from marketplace.queries.first import first_question
from marketplace.queries.schemas import Ask
from marketplace.queries.services import Services
from marketplace.web.answer import place_in
from marketplace.web.explain import explain_problem
from marketplace.web.forms import Form
from marketplace.web.view import View
from marketplace.web.why import why
from policies.purposes import known

EACH_EDITION: Final[tuple[Edition, ...]] = get_args(Edition)


@get("/agreements/{agreement_id:uuid}/why")
async def show_why(view: View, analyst: Analyst, services: Services, agreement_id: uuid.UUID) -> Template:
    """What a first question under the agreement would be told, and the form to ask about another."""
    agreement = await _agreement(services, analyst, agreement_id)
    async with services.database.session() as session:
        found = await listed_version(session, agreement.dataset_id)
    sql = first_question(found.version if found else None, agreement.columns)
    return await _page(view, analyst, services, agreement, agreement.purpose, sql, beside=())


@post("/agreements/{agreement_id:uuid}/why", status_code=200, opt={"points": PAGE})
async def ask_why(
    view: View, analyst: Analyst, services: Services, agreement_id: uuid.UUID, form: Form
) -> Template:
    """Of this question; from the console's refusal, or from this page itself."""
    agreement = await _agreement(services, analyst, agreement_id)
    purpose = form.text("purpose") or agreement.purpose
    beside = form.ids("beside")
    return await _page(view, analyst, services, agreement, purpose, form.text("sql"), beside=beside)


@get("/log/events/{event_id:uuid}/why")
async def show_decided(
    view: View, caller: Caller, session: AsyncSession, services: Services, event_id: uuid.UUID
) -> Template:
    """What was decided then, with the facts that this party's receipt opens."""
    page = await view_events(session, viewer_of(caller), Search(event_id=event_id), limit=1)
    edition = next((each for each in EACH_EDITION if each == caller.organisation_kind), None)
    if not page.items or edition is None:
        raise NotFound
    event = page.items[0]
    body: dict[str, Any] = event.body or {}
    if event.decision_id is None:
        raise NotFound
    told = await explain_decided(services, event.decision_id, body["decision"], edition=edition)
    return view.page("why_decided.html", event=event, why=why(view, told))


async def _agreement(services: Services, analyst: Analyst, agreement_id: uuid.UUID) -> AgreementView:
    analyst.require("query")
    async with services.database.session() as session:
        return await read_agreement(
            session, agreement_id=agreement_id, organisation_id=analyst.organisation_id, at=utcnow()
        )


async def _page(
    view: View,
    analyst: Analyst,
    services: Services,
    agreement: AgreementView,
    purpose: str,
    sql: str,
    *,
    beside: tuple[uuid.UUID, ...],
) -> Template:
    told, problem, place = None, None, None
    try:
        ask = Ask(agreement_ids=(agreement.id, *beside), purpose=purpose, sql=sql)
        told = why(view, await explain(services, analyst, ask))
    except Problem as wrong:
        problem, place = explain_problem(view, wrong), place_in(sql, wrong.params)
    return view.page(
        "why.html",
        agreement=agreement,
        beside=beside,
        purpose=purpose,
        purposes=known(),
        sql=sql,
        why=told,
        problem=problem,
        place=place,
    )


handlers = [show_why, ask_why, show_decided]
