"""Where a document stands at the tax office."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.einvoices.schemas import EInvoiceView

_ONE = text("""
    select invoice_id, state, message_id, code, refusal, trouble, attempts, signed_at, answered_at
    from einvoice where invoice_id = :id
""")
_XML = text("select coalesce(coded_xml, xml) as xml from einvoice where invoice_id = :id")


async def standing(session: AsyncSession, invoice_id: UUID) -> EInvoiceView | None:
    """None until it is signed. Ask only for a document that the reader was shown."""
    row = (await session.execute(_ONE, {"id": invoice_id})).one_or_none()
    return EInvoiceView(**row._mapping) if row else None


async def signed_xml(session: AsyncSession, invoice_id: UUID) -> bytes | None:
    """The signed document, with the tax office's code once it gave it; None until it is signed."""
    found: bytes | None = await session.scalar(_XML, {"id": invoice_id})
    return found
