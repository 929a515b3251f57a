"""`/api/v1/invoices/{id}/einvoice` and `/xml`: the signed document, and what the tax office said of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.config import Config
from marketplace.einvoices.errors import NotSignedYet
from marketplace.einvoices.schemas import EInvoiceView
from marketplace.invoices.reads import find, party_of

_ONE = text("""
    select e.*, i.series, i.number from einvoice e join invoice i on i.id = e.invoice_id where e.invoice_id = :id
""")


@get("/api/v1/invoices/{invoice_id:uuid}/einvoice", operation_id="readEInvoice")
async def get_einvoice(caller: Caller, session: AsyncSession, config: Config, invoice_id: UUID) -> EInvoiceView:
    """Where the document stands at the tax office."""
    row = await _row(caller, session, config, invoice_id)
    return EInvoiceView(**{name: getattr(row, name) for name in EInvoiceView.__struct_fields__})


@get("/api/v1/invoices/{invoice_id:uuid}/xml", operation_id="readInvoiceXml", media_type="application/xml")
async def get_xml(caller: Caller, session: AsyncSession, config: Config, invoice_id: UUID) -> Response[bytes]:
    """The signed e-invoice (HDon); with the tax office's code and signature once it gave them."""
    row = await _row(caller, session, config, invoice_id)
    name = f'attachment; filename="{row.series}-{row.number:08d}.xml"'
    return Response(row.coded_xml or row.xml, media_type="application/xml", headers={"Content-Disposition": name})


async def _row(caller: Caller, session: AsyncSession, config: Config, invoice_id: UUID) -> Any:
    caller.require("read")
    await find(session, invoice_id, party=party_of(caller))
    row = (await session.execute(_ONE, {"id": invoice_id})).one_or_none()
    if row is None:
        raise NotSignedYet(retry_after_s=config.sweep_interval_s)
    return row


handlers = [get_einvoice, get_xml]
