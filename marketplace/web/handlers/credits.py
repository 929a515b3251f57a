"""Refunds: what one person of the operator proposes on an invoice and another decides."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.errors import Forbidden
from marketplace.invoices.credit_reads import list_credits
from marketplace.invoices.crediting import decide, propose, propose_for_version
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
    if caller.organisation_kind not in ("operator", "regulator"):
        raise Forbidden(needs="operator")
    caller.require("read")
    page = await list_credits(session, state=wanted if wanted in STATES else None, cursor=cursor)
    people = (one for each in page.items for one in (each.proposed_by, each.decided_by))
    return view.page(
        "credits.html",
        page=page,
        wanted=wanted,
        states=STATES,
        names=(await names_of(session, people=people)).people,
    )


@post("/invoices/{invoice_id:uuid}/credits", status_code=303)
async def propose_credit(
    view: View, operator: Operator, session: AsyncSession, invoice_id: UUID, form: Form
) -> Redirect:
    """Of a line, or (no dataset) of the whole invoice; no amount: all that is left. A second press is the same."""
    operator.require("money")
    told = (_reason(form), form.optional_id("dataset"), form.integer("amount") if form.text("amount") else None)
    reason, dataset_id, amount_vnd = told
    if amount_vnd is not None and amount_vnd <= 0:
        raise wrong("amount", "form.integer")
    fresh = new_id()
    credit_id = await claim(
        session,
        organisation_id=operator.organisation_id,
        key=form.text("key"),
        body=msgspec.json.encode((invoice_id, told)),
        subject_id=fresh,
    )
    if credit_id == fresh:
        await propose(
            session, invoice_id=invoice_id, reason=reason, by=operator, at=utcnow(), credit_id=credit_id,
            dataset_id=dataset_id, amount_vnd=amount_vnd,
        )  # fmt: skip
    return Redirect("/credits", status_code=303)


@post("/credits/version", status_code=303)
async def propose_credits(view: View, operator: Operator, session: AsyncSession, form: Form) -> Redirect:
    """All that was charged for a version withdrawn for its quality."""
    operator.require("money")
    version_id = form.text("version").strip()
    await propose_for_version(session, version_id=version_id, reason=_reason(form), by=operator, at=utcnow())
    return Redirect("/credits", status_code=303)


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
    return Redirect("/credits", status_code=303)


def _reason(form: Form) -> str:
    reason = form.text("reason").strip()
    if len(reason) not in REASON_CHARACTERS:
        raise wrong("reason", "form.text")
    return reason


handlers = [show_credits, propose_credit, propose_credits, decide_credit]
