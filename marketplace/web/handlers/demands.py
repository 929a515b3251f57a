"""Datasets that are not there: the board, asking for one, voting, closing."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Startup
from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound, Problem
from marketplace.finding.demand import DemandBody, ask_for, close_demand, read_board, vote_for
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, fitting
from marketplace.web.view import View


@get("/demands")
async def show_demands(view: View, caller: Caller, session: AsyncSession) -> Template:
    """Open ones first, those with most votes first; to startups the form for another."""
    caller.require("read")
    return await _page(view, caller, session)


@post("/demands", status_code=200)
async def send_demand(view: View, startup: Startup, session: AsyncSession, form: Form) -> Template | Redirect:
    """Ask for one; the hidden key makes a second press the same demand."""
    startup.require("agree")
    try:
        async with session.begin_nested():
            await ask_for(session, asked=_asked(form), by=startup, at=utcnow(), key=str(form.id("key")))
    except Problem as problem:
        return await _page(view, startup, session, problem, form)
    return Redirect("/demands?done=demanded", status_code=303)


@post("/demands/{demand_id:uuid}/vote", status_code=200)
async def send_vote(view: View, startup: Startup, session: AsyncSession, demand_id: UUID) -> Template | Redirect:
    """The organisation would use it too; pressed twice, one vote."""
    startup.require("agree")
    try:
        async with session.begin_nested():
            await vote_for(session, demand_id=demand_id, by=startup, at=utcnow())
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, startup, session, problem)
    return Redirect("/demands?done=voted", status_code=303)


@post("/demands/{demand_id:uuid}/close", status_code=200)
async def send_close(view: View, caller: Caller, session: AsyncSession, demand_id: UUID) -> Template | Redirect:
    """By who asked, or the operator."""
    caller.require("agree")
    try:
        async with session.begin_nested():
            await close_demand(session, demand_id=demand_id, by=caller, at=utcnow())
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, caller, session, problem)
    return Redirect("/demands?done=demand_closed", status_code=303)


def _asked(form: Form) -> DemandBody:
    """Raises Invalid."""
    return fitting({name: form.text(name).strip() for name in ("title", "reason")}, DemandBody)


async def _page(
    view: View, caller: Caller, session: AsyncSession, problem: Problem | None = None, form: Form | None = None
) -> Template:
    return view.page(
        "demands.html",
        board=(await read_board(session, caller=caller)).items,
        may_ask=caller.organisation_kind == "startup",
        may_close=caller.organisation_kind == "operator",
        key=str(new_id()),
        entered={name: form.text(name) if form else "" for name in ("title", "reason")},
        **what_is_wrong(view, problem),
    )


handlers = [show_demands, send_demand, send_vote, send_close]
