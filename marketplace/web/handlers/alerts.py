"""The regulator's alerts: what the rules found, and what came of it."""

from __future__ import annotations

import uuid

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Reader
from marketplace.errors import NotFound, Problem
from marketplace.oversight.alerts import REASON_CHARACTERS, acknowledge, alerts
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, wrong
from marketplace.web.names import names_of
from marketplace.web.view import View

LEAST_CHARACTERS = 10


@get("/alerts")
async def show_alerts(
    view: View, caller: Caller, session: AsyncSession, answered: str = "", cursor: str | None = None
) -> Template:
    """Those that wait for a reader; with `answered`, the others."""
    return await _page(view, session, caller, answered=bool(answered), cursor=cursor)


async def _page(
    view: View,
    session: AsyncSession,
    caller: Caller,
    *,
    answered: bool = False,
    cursor: str | None = None,
    problem: Problem | None = None,
    typed: tuple[uuid.UUID | None, str] = (None, ""),
) -> Template:
    """`typed`: at which alert, what."""
    page = await alerts(session, by=caller, is_open=not answered, cursor=cursor)
    names = await names_of(
        session,
        people=(each.acknowledged_by for each in page.items),
        organisations=(each.organisation_id for each in page.items),
        datasets=(each.dataset_id for each in page.items),
    )
    return view.page(
        "alerts.html", page=page, answered=answered, people=names, typed=typed,
        may_answer=caller.organisation_kind == "regulator", **what_is_wrong(view, problem),
    )  # fmt: skip


@post("/alerts/{alert_id:uuid}/acknowledge", status_code=200)
async def answer_alert(
    view: View, reader: Reader, session: AsyncSession, alert_id: uuid.UUID, form: Form
) -> Template | Redirect:
    """What came of it, once."""
    reader.require("audit")
    reason = form.text("reason").strip()
    try:
        if not LEAST_CHARACTERS <= len(reason) <= REASON_CHARACTERS:
            raise wrong("reason", "form.text")
        async with session.begin_nested():
            await acknowledge(session, alert_id=alert_id, reason=reason, by=reader)
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, session, reader, problem=problem, typed=(alert_id, reason))
    return Redirect("/alerts?done=alert_answered", status_code=303)


handlers = [show_alerts, answer_alert]
