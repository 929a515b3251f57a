"""The regulator's alerts: what the rules found, and what came of it."""

from __future__ import annotations

import uuid

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Reader
from marketplace.oversight.alerts import REASON_CHARACTERS, acknowledge, alerts
from marketplace.web.forms import Form, wrong
from marketplace.web.names import names_of
from marketplace.web.view import View

LEAST_CHARACTERS = 10


@get("/alerts")
async def show_alerts(
    view: View, reader: Reader, session: AsyncSession, answered: str = "", cursor: str | None = None
) -> Template:
    """Those that wait for a reader; with `answered`, the others."""
    reader.require("audit")
    page = await alerts(session, is_open=not answered, cursor=cursor)
    names = await names_of(
        session,
        people=(each.acknowledged_by for each in page.items),
        organisations=(each.organisation_id for each in page.items),
        datasets=(each.dataset_id for each in page.items),
    )
    return view.page("alerts.html", page=page, answered=bool(answered), people=names)


@post("/alerts/{alert_id:uuid}/acknowledge", status_code=303)
async def answer_alert(
    view: View, reader: Reader, session: AsyncSession, alert_id: uuid.UUID, form: Form
) -> Redirect:
    """What came of it, once."""
    reader.require("audit")
    reason = form.text("reason").strip()
    if not LEAST_CHARACTERS <= len(reason) <= REASON_CHARACTERS:
        raise wrong("reason", "form.text")
    await acknowledge(session, alert_id=alert_id, reason=reason, by=reader)
    return Redirect("/alerts", status_code=303)


handlers = [show_alerts, answer_alert]
