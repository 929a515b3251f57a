"""What other catalogues list: a page for everybody, and the operator's page of their harvesting."""

from __future__ import annotations

import uuid
from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.errors import Problem
from marketplace.harvest.actions import add_source, make_due, stop_source
from marketplace.harvest.reads import external_listings, runs, sources
from marketplace.harvest.schemas import NewSourceBody
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, fitting
from marketplace.web.view import View


@get("/external")
async def show_external(
    view: View,
    session: AsyncSession,
    q: Annotated[str, QueryParameter(name="q", required=False, max_length=200)] = "",
    cursor: str | None = None,
) -> Template:
    """Listings without data, each labelled with where it is from."""
    listed = await external_listings(session, q=q, cursor=cursor)
    return view.page("external.html", listed=listed, q=q.strip())


@get("/harvest")
async def show_harvest(view: View, operator: Operator, session: AsyncSession) -> Template:
    """The other catalogues, the reports of the last looks, and the form for a new one."""
    operator.require("read")
    return await _page(view, session)


@post("/harvest", status_code=200)
async def send_source(
    view: View, operator: Operator, session: AsyncSession, config: Config, form: Form
) -> Template | Redirect:
    """Add one."""
    operator.require("publish")
    try:
        async with session.begin_nested():
            await add_source(session, asked=_asked(form), by=operator, at=utcnow(), config=config)
    except Problem as problem:
        return await _page(view, session, problem, form)
    return Redirect("/harvest?done=harvest_added", status_code=303)


@post("/harvest/{source_id:uuid}/run", status_code=303)
async def send_run(view: View, operator: Operator, session: AsyncSession, source_id: uuid.UUID) -> Redirect:
    """Look at it soon."""
    operator.require("publish")
    await make_due(session, source_id=source_id, at=utcnow())
    return Redirect("/harvest?done=harvest_due", status_code=303)


@post("/harvest/{source_id:uuid}/stop", status_code=303)
async def send_stop(view: View, operator: Operator, session: AsyncSession, source_id: uuid.UUID) -> Redirect:
    """Look at it no more."""
    operator.require("publish")
    await stop_source(session, source_id=source_id, by=operator)
    return Redirect("/harvest?done=harvest_stopped", status_code=303)


def _asked(form: Form) -> NewSourceBody:
    """Raises Invalid."""
    body = {name: form.text(name).strip() for name in ("url", "kind", "name")}
    return fitting({**body, "every_hours": form.integer("every_hours")}, NewSourceBody)


async def _page(
    view: View, session: AsyncSession, problem: Problem | None = None, form: Form | None = None
) -> Template:
    found = await sources(session)
    entered = {name: form.text(name) if form else "" for name in ("url", "kind", "name", "every_hours")}
    return view.page(
        "harvest.html",
        sources=found.items,
        runs=(await runs(session)).items,
        names={source.id: source.name for source in found.items},
        entered=entered,
        **what_is_wrong(view, problem),
    )


handlers = [show_external, show_harvest, send_source, send_run, send_stop]
