"""Invoices and credit notes: the list, the printable document, and the queries behind each line."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.einvoices.again import send_again
from marketplace.einvoices.amount_words import amount_in_words
from marketplace.einvoices.correcting import correct
from marketplace.einvoices.errors import NothingToSend, NotSignedYet
from marketplace.einvoices.reads import corrections, earlier, signed_xml, standing
from marketplace.einvoices.schemas import CorrectionBody
from marketplace.errors import NotFound, Problem
from marketplace.invoices.crediting import propose
from marketplace.invoices.document import Party
from marketplace.invoices.reads import list_invoices, read_invoice, read_items
from marketplace.invoices.schemas import Office
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, fitting, wrong
from marketplace.web.handlers.credits import reason_of
from marketplace.web.headers import as_file
from marketplace.web.view import View

OFFICE: tuple[Office, ...] = get_args(Office)
TYPED = ("buyer_name", "buyer_tax_code", "why", "dataset", "amount", "reason")
"""Fields of the two forms below a document."""


@get("/invoices")
async def show_invoices(
    view: View, caller: Caller, session: AsyncSession, cursor: str | None = None, office: str = ""
) -> Template:
    """Newest first: a startup's own; operator and regulator see all, or those that stand so at the tax office."""
    caller.require("read")
    chosen: Office | None = next((each for each in OFFICE if each == office), None)
    return view.page(
        "invoices.html",
        page=await list_invoices(session, caller, office=chosen, cursor=cursor),
        office=chosen or "",
        states=OFFICE,
    )


@get("/invoices/{invoice_id:uuid}")
async def show_invoice(
    view: View, caller: Caller, session: AsyncSession, config: Config, invoice_id: UUID
) -> Template:
    """One document, as it is printed."""
    caller.require("read")
    return await _page(view, caller, session, config, invoice_id)


async def _page(
    view: View,
    caller: Caller,
    session: AsyncSession,
    config: Config,
    invoice_id: UUID,
    *,
    problem: Problem | None = None,
    form: Form | None = None,
) -> Template:
    invoice = await read_invoice(session, caller, invoice_id)
    office = await standing(session, invoice_id)
    replaceable = invoice.kind == "invoice" and not invoice.credit_notes
    answered = office.state == "refused" or (office.state == "coded" and replaceable)
    return view.page(
        "invoice.html",
        invoice=invoice,
        office=office,
        corrections=await corrections(session, invoice_id),
        earlier=await earlier(session, invoice_id),
        may_correct=view.handles_money and answered,
        correct_key=str(new_id()),
        in_words=amount_in_words(invoice.gross_vnd * (-1 if invoice.kind == "credit_note" else 1)),
        seller_address=config.seller_address,
        key=str(new_id()) if view.handles_money and invoice.kind == "invoice" else None,
        entered={name: form.text(name) if form else "" for name in TYPED},
        **what_is_wrong(view, problem),
    )


@post("/invoices/{invoice_id:uuid}/credits", status_code=200)
async def propose_credit(
    view: View, operator: Operator, session: AsyncSession, config: Config, invoice_id: UUID, form: Form
) -> Template | Redirect:
    """Of a line, or (no dataset) of the whole invoice; no amount: all that is left. A second press is the same."""
    operator.require("money")
    try:
        async with session.begin_nested():
            await _propose(session, operator, invoice_id, form)
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, operator, session, config, invoice_id, problem=problem, form=form)
    return Redirect("/credits?done=credits_proposed", status_code=303)


async def _propose(session: AsyncSession, operator: Operator, invoice_id: UUID, form: Form) -> None:
    told = (reason_of(form), form.optional_id("dataset"), form.integer("amount") if form.text("amount") else None)
    reason, dataset_id, amount_vnd = told
    if amount_vnd is not None and amount_vnd <= 0:
        raise wrong("amount", "form.integer")
    fresh = new_id()
    credit_id = await claim(session, operator.organisation_id, form.text("key"), (invoice_id, told), fresh)
    if credit_id == fresh:
        await propose(
            session, invoice_id=invoice_id, reason=reason, by=operator, at=utcnow(), credit_id=credit_id,
            dataset_id=dataset_id, amount_vnd=amount_vnd,
        )  # fmt: skip


@post("/invoices/{invoice_id:uuid}/corrections", status_code=200)
async def send_correction(
    view: View, operator: Operator, session: AsyncSession, config: Config, invoice_id: UUID, form: Form
) -> Template | Redirect:
    """Put the buyer right; the hidden key makes a second press the same correction."""
    operator.require("money")
    try:
        async with session.begin_nested():
            await _correct(session, config, operator, invoice_id, form)
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, operator, session, config, invoice_id, problem=problem, form=form)
    return Redirect(f"/invoices/{invoice_id}?done=corrected", status_code=303)


async def _correct(
    session: AsyncSession, config: Config, operator: Operator, invoice_id: UUID, form: Form
) -> None:
    asked, fresh = _correction(form), new_id()
    edition_id = await claim(session, operator.organisation_id, form.text("key"), (invoice_id, asked), fresh)
    if edition_id == fresh:
        await correct(
            session, invoice_id=invoice_id, buyer=Party(name=asked.buyer_name, tax_code=asked.buyer_tax_code),
            why=asked.why, by=operator, at=utcnow(), retry_after_s=config.sweep_interval_s, edition_id=fresh,
        )  # fmt: skip


def _correction(form: Form) -> CorrectionBody:
    """Raises Invalid naming the field that is wrong."""
    told = {name: form.text(name).strip() for name in ("buyer_name", "buyer_tax_code", "why")}
    return fitting(told | {"buyer_tax_code": told["buyer_tax_code"] or None}, CorrectionBody)


@post("/invoices/{invoice_id:uuid}/einvoice/retry", status_code=200)
async def send_retry(
    view: View, operator: Operator, session: AsyncSession, config: Config, invoice_id: UUID
) -> Template | Redirect:
    """Have the tax office asked again at the next sweep."""
    operator.require("money")
    try:
        await send_again(session, invoice_id=invoice_id, by=operator, at=utcnow())
    except NothingToSend as problem:
        return await _page(view, operator, session, config, invoice_id, problem=problem)
    return Redirect(f"/invoices/{invoice_id}?done=einvoice_again", status_code=303)


@get("/invoices/{invoice_id:uuid}/items")
async def show_items(
    view: View,
    caller: Caller,
    session: AsyncSession,
    invoice_id: UUID,
    dataset_id: UUID | None = None,
    cursor: str | None = None,
) -> Template:
    """Each use behind an invoice, or behind one of its lines."""
    caller.require("read")
    return view.page(
        "invoice_items.html",
        invoice=await read_invoice(session, caller, invoice_id),
        dataset_id=dataset_id,
        page=await read_items(session, caller, invoice_id, dataset_id=dataset_id, cursor=cursor),
    )


@get("/invoices/{invoice_id:uuid}/xml")
async def download_xml(
    view: View, caller: Caller, session: AsyncSession, config: Config, invoice_id: UUID
) -> Response[bytes]:
    """The signed e-invoice as a file."""
    del view  # asking for it checks the session's token
    caller.require("read")
    invoice = await read_invoice(session, caller, invoice_id)
    xml = await signed_xml(session, invoice_id)
    if xml is None:
        raise NotSignedYet(retry_after_s=config.sweep_interval_s)
    return as_file(xml, "application/xml", f"{invoice.number}.xml")


handlers = [show_invoices, show_invoice, propose_credit, send_correction, send_retry, show_items, download_xml]
