"""`/api/v1/invoices/{id}/einvoice` and `/xml`: the signed document, and what the tax office said of it."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, get
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.config import Config
from marketplace.einvoices.errors import NotSignedYet
from marketplace.einvoices.reads import signed_xml, standing
from marketplace.einvoices.schemas import EInvoiceView
from marketplace.invoices.reads import find, party_of


@get("/api/v1/invoices/{invoice_id:uuid}/einvoice", operation_id="readEInvoice")
async def get_einvoice(caller: Caller, session: AsyncSession, config: Config, invoice_id: UUID) -> EInvoiceView:
    """Where the document stands at the tax office."""
    caller.require("read")
    await find(session, invoice_id, party=party_of(caller))
    found = await standing(session, invoice_id)
    if found is None:
        raise NotSignedYet(retry_after_s=config.sweep_interval_s)
    return found


@get("/api/v1/invoices/{invoice_id:uuid}/xml", operation_id="readInvoiceXml", media_type="application/xml")
async def get_xml(caller: Caller, session: AsyncSession, config: Config, invoice_id: UUID) -> Response[bytes]:
    """The signed e-invoice (HDon); with the tax office's code and signature once it gave them."""
    caller.require("read")
    document = (await find(session, invoice_id, party=party_of(caller))).document
    xml = await signed_xml(session, invoice_id)
    if xml is None:
        raise NotSignedYet(retry_after_s=config.sweep_interval_s)
    name = f'attachment; filename="{document.name}.xml"'
    return Response(xml, media_type="application/xml", headers={"Content-Disposition": name})


handlers = [get_einvoice, get_xml]
