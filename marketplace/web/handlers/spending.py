"""What a startup spends in a month, its limits and alerts; its admin sets them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Startup, StartupAdmin
from marketplace.accounts.reads import colleagues
from marketplace.agreements.reads import list_agreements
from marketplace.db.base import utcnow
from marketplace.errors import Problem
from marketplace.offers.charges import charges
from marketplace.spending.actions import remove_limit, set_limit
from marketplace.spending.reads import spending
from marketplace.spending.schemas import LimitBody
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, fitting, whole
from marketplace.web.view import View

AGREEMENTS = 200
"""Of which the form names the datasets."""


@get("/spending")
async def show_spending(view: View, startup: Startup, session: AsyncSession) -> Template:
    """The month, the limits, the alerts."""
    startup.require("read")
    return await _page(view, startup, session)


@post("/spending/limits", status_code=200)
async def send_limit(
    view: View, startup_admin: StartupAdmin, session: AsyncSession, form: Form
) -> Template | Redirect:
    """Set a limit, or replace the one of its scope."""
    startup_admin.require("money")
    try:
        async with session.begin_nested():
            await set_limit(session, asked=_asked(form), by=startup_admin, at=utcnow())
    except Problem as problem:
        return await _page(view, startup_admin, session, problem, form.typed())
    return Redirect("/spending?done=limited", status_code=303)


@post("/spending/limits/{limit_id:uuid}/remove", status_code=200)
async def send_removal(
    view: View, startup_admin: StartupAdmin, session: AsyncSession, limit_id: uuid.UUID
) -> Redirect:
    """Take one away."""
    startup_admin.require("money")
    await remove_limit(session, limit_id=limit_id, by=startup_admin)
    return Redirect("/spending?done=limit_removed", status_code=303)


def _asked(form: Form) -> LimitBody:
    """Raises Invalid."""
    kind, _, whose = form.text("scope").partition(":")
    scope = {"dataset": whose} if kind == "dataset" else {"person_id": whose} if kind == "person" else {}
    shares = [each.strip() for each in form.text("alert_percent").split(",") if each.strip()]
    body = {
        "month_vnd": form.integer("month_vnd"),
        "alert_percent": [whole("alert_percent", each) for each in shares],
        **scope,
    }
    return fitting(body, LimitBody, code="form.integer")


async def _page(
    view: View,
    startup: Startup,
    session: AsyncSession,
    problem: Problem | None = None,
    typed: Mapping[str, str] = {},
) -> Template:
    at = utcnow()
    agreed = await list_agreements(session, organisation_id=startup.organisation_id, at=at, limit=AGREEMENTS)
    return view.page(
        "spending.html",
        spending=await spending(session, organisation_id=startup.organisation_id, at=at),
        charges=(await charges(session, party_id=startup.organisation_id)).items,
        datasets=sorted({each.dataset_slug for each in agreed.items}),
        people=await colleagues(session, startup.organisation_id),
        may_set="admin" in startup.roles,
        typed=typed,
        **what_is_wrong(view, problem),
    )


handlers = [show_spending, send_limit, send_removal]
