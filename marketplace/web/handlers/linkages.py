"""Linkages of an owner: with whom its data are joined, on which terms, and what both have sent."""

from __future__ import annotations

import uuid

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.callers import Approver, Owner
from marketplace.db.base import utcnow
from marketplace.db.keys import Keys
from marketplace.errors import NotFound, Problem
from marketplace.linkages.actions import decide, end
from marketplace.linkages.machine import DecisionVerb
from marketplace.linkages.reads import list_linkages, read_linkage
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form
from marketplace.web.view import View


@get("/linkages")
async def show_linkages(view: View, owner: Owner, session: AsyncSession) -> Template:
    """The organisation's linkages, newest first."""
    owner.require("read")
    return view.page("linkages.html", listed=await list_linkages(session, organisation_id=owner.organisation_id))


@get("/linkages/{linkage_id:uuid}")
async def show_linkage(view: View, owner: Owner, session: AsyncSession, linkage_id: uuid.UUID) -> Template:
    """One linkage, with what its reader may do about it."""
    owner.require("read")
    return await _page(view, owner, session, linkage_id)


@post("/linkages/{linkage_id:uuid}/decision", status_code=200)
async def send_decision(
    view: View, approver: Approver, session: AsyncSession, keys: Keys, linkage_id: uuid.UUID, form: Form
) -> Template | Redirect:
    """The partner approves or refuses."""
    approver.require("agree")
    decision: DecisionVerb = "approve" if form.text("decision") == "approve" else "refuse"
    try:
        async with session.begin_nested():
            await decide(
                session, keys, linkage_id=linkage_id, decision=decision, reason=form.text("reason"), by=approver,
                at=utcnow(),
            )  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, approver, session, linkage_id, problem)
    return Redirect(f"/linkages/{linkage_id}?done=linkage_{decision}", status_code=303)


@post("/linkages/{linkage_id:uuid}/end", status_code=200)
async def end_linkage(
    view: View,
    approver: Approver,
    session: AsyncSession,
    keys: Keys,
    store: Store,
    linkage_id: uuid.UUID,
    form: Form,
) -> Template | Redirect:
    """End it from now on."""
    approver.require("agree")
    try:
        async with session.begin_nested():
            await end(
                session, keys, store, linkage_id=linkage_id, reason=form.text("reason"), by=approver, at=utcnow()
            )
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, approver, session, linkage_id, problem)
    return Redirect(f"/linkages/{linkage_id}?done=linkage_ended", status_code=303)


async def _page(
    view: View, owner: Owner, session: AsyncSession, linkage_id: uuid.UUID, problem: Problem | None = None
) -> Template:
    linkage = await read_linkage(session, linkage_id=linkage_id, organisation_id=owner.organisation_id)
    leads = linkage.lead_id == owner.organisation_id
    approves = "approver" in owner.roles
    return view.page(
        "linkage.html",
        linkage=linkage,
        may_decide=approves and linkage.state == "proposed" and not leads,
        may_end=approves and (linkage.state == "approved" or (linkage.state == "proposed" and leads)),
        **what_is_wrong(view, problem),
    )


handlers = [show_linkages, show_linkage, send_decision, end_linkage]
