"""Invoices and credit notes: the list, the printable document, and the queries behind each line."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, get
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.einvoices.amount_words import amount_in_words
from marketplace.einvoices.errors import NotSignedYet
from marketplace.einvoices.reads import signed_xml, standing
from marketplace.invoices.reads import list_invoices, read_invoice, read_items
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
    return view.page(
        "invoice.html",
        invoice=invoice,
        office=await standing(session, invoice_id),
        in_words=amount_in_words(invoice.gross_vnd),
        seller_address=config.seller_address,
        key=str(new_id()) if view.handles_money and invoice.kind == "invoice" else None,
    )


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


handlers = [show_invoices, show_invoice, show_items, download_xml]
