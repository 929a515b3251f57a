"""`/api/v1/invoices/{id}/einvoice`, `/xml`, `/corrections`: what is signed, what the tax office said, what was
put right."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Response, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.einvoices.again import send_again
from marketplace.einvoices.correcting import correct
from marketplace.einvoices.errors import NotSignedYet
from marketplace.einvoices.reads import corrections, earlier, signed_xml, standing
from marketplace.einvoices.schemas import CorrectionBody, CorrectionList, EInvoiceView
from marketplace.invoices.document import Party
from marketplace.invoices.reads import find, party_of
from marketplace.parameters import IdempotencyKey


@get("/api/v1/invoices/{invoice_id:uuid}/einvoice", operation_id="readEInvoice")
async def get_einvoice(caller: Caller, session: AsyncSession, invoice_id: UUID) -> EInvoiceView:
    """Where the document stands at the tax office."""
    caller.require("read")
    await find(session, invoice_id, party=party_of(caller))
    found = await standing(session, invoice_id)
    told = caller.organisation_kind != "startup"
    return found if told else msgspec.structs.replace(found, fault=None)


@post("/api/v1/invoices/{invoice_id:uuid}/einvoice/retry", status_code=202, operation_id="retryEInvoice")
async def post_retry(operator: Operator, session: AsyncSession, invoice_id: UUID) -> EInvoiceView:
    """Ask the tax office again at the next sweep, instead of when its time comes."""
    operator.require("money")
    await send_again(session, invoice_id=invoice_id, by=operator, at=utcnow())
    return await standing(session, invoice_id)


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


@get("/api/v1/invoices/{invoice_id:uuid}/corrections", operation_id="listCorrections")
async def get_corrections(caller: Caller, session: AsyncSession, invoice_id: UUID) -> CorrectionList:
    """Each time the document was said anew: by whom, when, why."""
    caller.require("read")
    await find(session, invoice_id, party=party_of(caller))
    return CorrectionList(items=await corrections(session, invoice_id), earlier=await earlier(session, invoice_id))


@post("/api/v1/invoices/{invoice_id:uuid}/corrections", operation_id="correctInvoice")
async def post_correction(
    data: CorrectionBody,
    operator: Operator,
    session: AsyncSession,
    config: Config,
    invoice_id: UUID,
    idempotency_key: IdempotencyKey = None,
) -> CorrectionList:
    """Put the parties right: under the same number where the tax office refused it, else in place of it."""
    operator.require("money")
    fresh = new_id()
    edition_id = await claim(session, operator.organisation_id, idempotency_key, (invoice_id, data), fresh)
    if edition_id == fresh:
        buyer = Party(name=data.buyer_name, tax_code=data.buyer_tax_code)
        await correct(
            session, invoice_id=invoice_id, buyer=buyer, why=data.why, by=operator, at=utcnow(),
            retry_after_s=config.sweep_interval_s, edition_id=fresh,
        )  # fmt: skip
    return CorrectionList(items=await corrections(session, invoice_id), earlier=await earlier(session, invoice_id))


handlers = [get_einvoice, post_retry, get_xml, get_corrections, post_correction]
