"""A party's account, its statements by month, and the operator's desk where a startup's money is booked."""

from __future__ import annotations

from datetime import timedelta

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.accounts.reads import organisations
from marketplace.billing import reads
from marketplace.billing.actions import credit_wallet
from marketplace.billing.schemas import CreditBody
from marketplace.billing.statement import own_statement
from marketplace.calendar import day_of
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.errors import Problem
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form
from marketplace.web.months import choose_month, months_until
from marketplace.web.view import View

MONTHS = 12


@get("/wallet")
async def show_wallet(view: View, caller: Caller, session: AsyncSession) -> Template:
    """Balance, held, available; newest entries; statements."""
    return await _page(view, caller, session)


@get("/wallet/statement")
async def show_statement(
    view: View, caller: Caller, session: AsyncSession, month: str | None = None, cursor: str | None = None
) -> Template:
    """A month of the account of a startup or an owner, entry by entry."""
    caller.require("read")
    now = utcnow()
    chosen = choose_month(month, now)
    first = day_of(chosen.period.since)
    last = day_of(chosen.period.until - timedelta(seconds=1))
    return view.page(
        "account_statement.html",
        statement=await own_statement(session, caller, first=first, last=last, cursor=cursor),
        chosen=chosen,
        months=months_until(now),
    )


@post("/wallet/credits", status_code=200)
async def add_credit(view: View, operator: Operator, session: AsyncSession, form: Form) -> Template | Redirect:
    """Book money that a startup paid in; the hidden key makes a second press the same booking."""
    operator.require("money")
    body = CreditBody(
        organisation_id=form.id("organisation"),
        amount_vnd=form.integer("amount"),
        reference=form.text("reference"),
    )
    try:
        async with session.begin_nested():
            transfer_id = await claim(session, operator.organisation_id, form.text("key"), body, new_id())
            await credit_wallet(
                session,
                by=operator,
                organisation_id=body.organisation_id,
                amount_vnd=body.amount_vnd,
                reference=body.reference,
                transfer_id=transfer_id,
            )
    except Problem as problem:
        return await _page(view, operator, session, problem)
    return Redirect("/wallet?done=credited", status_code=303)


async def _page(view: View, caller: Caller, session: AsyncSession, problem: Problem | None = None) -> Template:
    caller.require("read")
    credits = caller.organisation_kind == "operator" and "operator" in caller.roles
    return view.page(
        "wallet.html",
        wallet=await reads.wallet(session, caller),
        statements=await reads.invoices(session, caller, MONTHS),
        startups=[one for one in await organisations(session) if one.kind == "startup"] if credits else [],
        key=str(new_id()),
        **what_is_wrong(view, problem),
    )


handlers = [show_wallet, show_statement, add_credit]
