"""Agreements, and ending one."""

from __future__ import annotations

import uuid

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.agreements.budget import read_budget
from marketplace.agreements.ending import end
from marketplace.agreements.parties import as_ender, as_side
from marketplace.agreements.reads import list_agreements, read_agreement
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.errors import NotFound, Problem
from marketplace.listings.reads import listed_version
from marketplace.publications.reads import taken_back
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form
from marketplace.web.view import View

ENDERS = {"owner": "approver", "startup": "admin"}
"""The role that may end an agreement, by kind of organisation: who is shown the form."""


@get("/agreements")
async def show_agreements(
    view: View, caller: Caller, session: AsyncSession, cursor: str | None = None
) -> Template:
    """The organisation's agreements, newest first."""
    side = as_side(caller)
    listed = await list_agreements(session, organisation_id=side.organisation_id, at=utcnow(), cursor=cursor)
    return view.page("agreements.html", listed=listed)


@get("/agreements/{agreement_id:uuid}")
async def show_agreement(view: View, caller: Caller, session: AsyncSession, agreement_id: uuid.UUID) -> Template:
    """One agreement of the organisation."""
    return await _page(view, caller, session, agreement_id)


@get("/agreements/{agreement_id:uuid}/budget")
async def show_budget(
    view: View, caller: Caller, session: AsyncSession, config: Config, agreement_id: uuid.UUID
) -> Template:
    """What is left of its privacy budget, and roughly what that buys (dp mode)."""
    side = as_side(caller)
    organisation_id, at = side.organisation_id, utcnow()
    agreement = await read_agreement(session, agreement_id=agreement_id, organisation_id=organisation_id, at=at)
    budget = await read_budget(
        session, agreement_id=agreement_id, organisation_id=organisation_id, rho_micro=config.dp_rho_micro,
        least_micro=config.dp_rho_least_micro,
    )  # fmt: skip
    return view.page("budget.html", agreement=agreement, budget=budget)


@post("/agreements/{agreement_id:uuid}/end", status_code=200)
async def end_agreement(
    view: View, caller: Caller, session: AsyncSession, agreement_id: uuid.UUID, form: Form
) -> Template | Redirect:
    """End it from now on."""
    ender = as_ender(caller)
    try:
        async with session.begin_nested():
            await end(session, agreement_id=agreement_id, reason=form.text("reason"), by=ender, at=utcnow())
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, caller, session, agreement_id, problem)
    return Redirect(f"/agreements/{agreement_id}?done=ended", status_code=303)


async def _page(
    view: View, caller: Caller, session: AsyncSession, agreement_id: uuid.UUID, problem: Problem | None = None
) -> Template:
    side = as_side(caller)
    agreement = await read_agreement(
        session, agreement_id=agreement_id, organisation_id=side.organisation_id, at=utcnow()
    )
    listed = await listed_version(session, agreement.dataset_id)
    return view.page(
        "agreement.html",
        agreement=agreement,
        taken_back=await taken_back(session, agreement.dataset_id) if listed is None else None,
        has_budget=listed is not None and listed.version.mode == "dp",
        may_end=ENDERS[caller.organisation_kind] in caller.roles,
        **what_is_wrong(view, problem),
    )


handlers = [show_agreements, show_agreement, show_budget, end_agreement]
