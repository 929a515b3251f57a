"""Refunds: what one person of the operator proposes on an invoice and another decides."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.db.base import utcnow
from marketplace.errors import Problem
from marketplace.invoices.credit_reads import list_credits
from marketplace.invoices.crediting import decide, propose_for_version
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, wrong
from marketplace.web.names import names_of
from marketplace.web.view import View

STATES = ("proposed", "approved", "refused")
REASON_CHARACTERS = range(5, 501)


@get("/credits")
async def show_credits(
    view: View, caller: Caller, session: AsyncSession, wanted: str | None = None, cursor: str | None = None
) -> Template:
    """Newest first, for operator and regulator."""
    caller.require_overseer()
    return await _page(view, session, wanted=wanted, cursor=cursor)


async def _page(
    view: View,
    session: AsyncSession,
    *,
    wanted: str | None = None,
    cursor: str | None = None,
    problem: Problem | None = None,
    form: Form | None = None,
) -> Template:
    page = await list_credits(session, state=wanted if wanted in STATES else None, cursor=cursor)
    people = (one for each in page.items for one in (each.proposed_by, each.decided_by))
    return view.page(
        "credits.html",
        page=page,
        wanted=wanted,
        states=STATES,
        names=(await names_of(session, people=people)).people,
        entered={name: form.text(name) if form else "" for name in ("version", "reason")},
        **what_is_wrong(view, problem),
    )


@post("/credits/version", status_code=200)
async def propose_credits(
    view: View, operator: Operator, session: AsyncSession, form: Form
) -> Template | Redirect:
    """All that was charged for a version withdrawn for its quality."""
    operator.require("money")
    version_id = form.text("version").strip()
    try:
        async with session.begin_nested():
            await propose_for_version(
                session, version_id=version_id, reason=reason_of(form), by=operator, at=utcnow()
            )
    except Problem as problem:
        return await _page(view, session, problem=problem, form=form)
    return Redirect("/credits?done=credits_proposed", status_code=303)


@post("/credits/{credit_id:uuid}/decision", status_code=303)
async def decide_credit(
    view: View, operator: Operator, session: AsyncSession, credit_id: UUID, form: Form
) -> Redirect:
    """Approved, it is a credit note and the money is back in the wallet."""
    operator.require("money")
    decision = form.text("decision")
    if decision not in ("approve", "refuse"):
        raise wrong("decision", "form.text")
    await decide(session, credit_id=credit_id, approve=decision == "approve", by=operator, at=utcnow())
    return Redirect(f"/credits?done=credit_{decision}", status_code=303)


def reason_of(form: Form) -> str:
    """Why money is to go back. Raises Invalid."""
    reason = form.text("reason").strip()
    if len(reason) not in REASON_CHARACTERS:
        raise wrong("reason", "form.text")
    return reason


handlers = [show_credits, propose_credits, decide_credit]
