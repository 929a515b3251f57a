"""The operator's desk: lines of the bank's statement, payments, refunds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template

from marketplace.accounts.callers import Operator
from marketplace.accounts.reads import organisations
from marketplace.calendar import VIETNAM
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.errors import Problem
from marketplace.payments import reads
from marketplace.payments.bank import Line, assign_line, book_line
from marketplace.payments.cards_api import order_refund
from marketplace.payments.provider import Payments
from marketplace.payments.rates import CENTS
from marketplace.payments.schemas import RefundBody
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, fraction, whole, wrong
from marketplace.web.view import View

TEXT_CHARACTERS = 500


@get("/wallet/payments")
async def show_payments(view: View, operator: Operator, database: Database, payments: Payments) -> Template:
    """What came in, what of it is nobody's yet, what went back."""
    operator.require("read")
    return await _page(view, database, payments)


@post("/wallet/bank-lines", status_code=200)
async def add_line(
    view: View, operator: Operator, database: Database, payments: Payments, form: Form
) -> Template | Redirect:
    """The bank's own number of a line makes a second press the same booking."""
    operator.require("money")
    try:
        line = Line(
            bank_reference=_text(form, "bank_reference", 100),
            amount_vnd=form.integer("amount"),
            memo=_text(form, "memo", TEXT_CHARACTERS),
            received_on=_day(form),
        )
        async with database.session() as session:
            await book_line(session, by=operator, line=line)
    except Problem as problem:
        return await _page(view, database, payments, problem, form.typed())
    return Redirect("/wallet/payments?done=booked", status_code=303)


@post("/wallet/bank-lines/{line_id:uuid}/assignment", status_code=200)
async def give_line(
    view: View, operator: Operator, database: Database, payments: Payments, form: Form, line_id: UUID
) -> Template | Redirect:
    """Credit a line that named nobody to a startup."""
    operator.require("money")
    try:
        async with database.session() as session:
            await assign_line(session, by=operator, line_id=line_id, organisation_id=form.id("organisation"))
    except Problem as problem:
        return await _page(view, database, payments, problem)
    return Redirect("/wallet/payments?done=booked", status_code=303)


@post("/wallet/payments/{payment_id:str}/refunds", status_code=200)
async def give_back(
    view: View, operator: Operator, database: Database, payments: Payments, form: Form, payment_id: str
) -> Template | Redirect:
    """The hidden key makes a second press the same refund; an empty amount is all that is left. Dollars are
    written with their cents."""
    operator.require("money")
    try:
        body = RefundBody(reason=_text(form, "reason", TEXT_CHARACTERS), amount=_amount(form))
        await order_refund(
            database, payments, by=operator, payment_id=payment_id, body=body,
            key=form.text("key") or str(new_id()),
        )  # fmt: skip
    except Problem as problem:
        return await _page(view, database, payments, problem)
    return Redirect("/wallet/payments?done=refunded", status_code=303)


def _text(form: Form, name: str, most: int) -> str:
    text = form.text(name).strip()
    if not 0 < len(text) <= most:
        raise wrong(name, "form.text")
    return text


def _amount(form: Form) -> int | None:
    """In the smallest unit of the payment's currency; None: nothing was written."""
    written = form.text("amount").strip()
    if not written:
        return None
    dollars = form.text("currency") == "USD"
    amount = int(fraction("amount", written, decimals=2) * CENTS) if dollars else whole("amount", written)
    if amount <= 0:
        raise wrong("amount", "form.integer")
    return amount


def _day(form: Form) -> date:
    return form.day("received_on") or utcnow().astimezone(VIETNAM).date()


async def _page(
    view: View,
    database: Database,
    payments: Payments,
    problem: Problem | None = None,
    typed: Mapping[str, str] = {},
) -> Template:
    async with database.reading() as session:
        lines = await reads.bank_lines(session)
        paid = await reads.payments(session, None)
        startups = [one for one in await organisations(session) if one.kind == "startup"]
    return view.page(
        "payments.html",
        lines=lines,
        payments=paid,
        startups=startups,
        cards=payments.configured,
        key=str(new_id()),
        typed=typed,
        **what_is_wrong(view, problem),
    )


handlers = [show_payments, add_line, give_line, give_back]
