"""Invoices and credit notes: the list, the printable document, and the queries behind each line."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.einvoices.amount_words import amount_in_words
from marketplace.einvoices.correcting import correct
from marketplace.einvoices.errors import NotSignedYet
from marketplace.einvoices.reads import corrections, earlier, signed_xml, standing
from marketplace.einvoices.schemas import CorrectionBody
from marketplace.invoices.document import Party
from marketplace.invoices.reads import list_invoices, read_invoice, read_items
from marketplace.web.forms import Form
from marketplace.web.view import View


@get("/invoices")
async def show_invoices(view: View, caller: Caller, session: AsyncSession, cursor: str | None = None) -> Template:
    """Newest first: a startup's own; operator and regulator see all."""
    caller.require("read")
    return view.page("invoices.html", page=await list_invoices(session, caller, cursor=cursor))


@get("/invoices/{invoice_id:uuid}")
async def show_invoice(
    view: View, caller: Caller, session: AsyncSession, config: Config, invoice_id: UUID
) -> Template:
    """One document, as it is printed."""
    caller.require("read")
    invoice = await read_invoice(session, caller, invoice_id)
    office = await standing(session, invoice_id)
    replaceable = invoice.kind == "invoice" and not invoice.credit_notes
    answered = office is not None and (office.state == "refused" or (office.state == "coded" and replaceable))
    return view.page(
        "invoice.html",
        invoice=invoice,
        office=office,
        corrections=await corrections(session, invoice_id),
        earlier=await earlier(session, invoice_id),
        may_correct=view.handles_money and answered,
        correct_key=str(new_id()),
        in_words=amount_in_words(invoice.gross_vnd),
        seller_address=config.seller_address,
        key=str(new_id()) if view.handles_money and invoice.kind == "invoice" else None,
    )


@post("/invoices/{invoice_id:uuid}/corrections", status_code=303)
async def send_correction(
    view: View, operator: Operator, session: AsyncSession, config: Config, invoice_id: UUID, form: Form
) -> Redirect:
    """Put the buyer right; the hidden key makes a second press the same correction."""
    del view  # asking for it checks the session's token
    operator.require("money")
    told = {name: form.text(name).strip() for name in ("buyer_name", "buyer_tax_code", "why")}
    asked = msgspec.convert(told | {"buyer_tax_code": told["buyer_tax_code"] or None}, CorrectionBody)
    fresh = new_id()
    edition_id = await claim(
        session,
        organisation_id=operator.organisation_id,
        key=form.text("key"),
        body=msgspec.json.encode((invoice_id, asked)),
        subject_id=fresh,
    )
    if edition_id == fresh:
        await correct(
            session, invoice_id=invoice_id, buyer=Party(name=asked.buyer_name, tax_code=asked.buyer_tax_code),
            why=asked.why, by=operator, at=utcnow(), retry_after_s=config.sweep_interval_s, edition_id=fresh,
        )  # fmt: skip
    return Redirect(f"/invoices/{invoice_id}", status_code=303)


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
    name = f'attachment; filename="{invoice.number}.xml"'
    return Response(xml, media_type="application/xml", headers={"Content-Disposition": name})


handlers = [show_invoices, show_invoice, send_correction, show_items, download_xml]
