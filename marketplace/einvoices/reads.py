"""Where a document stands at the tax office."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.einvoices.schemas import CorrectionView, EInvoiceView

CURRENT = """
    coalesce((select max(x.edition) from invoice_edition x where x.invoice_id = e.invoice_id), 1)
"""
"""Edition of the document of a row `e` that stands now."""
_FIELDS = "invoice_id, edition, state, message_id, code, refusal, trouble, fault, attempts, signed_at, answered_at"
_STANDS = f"from einvoice e where invoice_id = :id and edition = {CURRENT}"
_ONE = text(f"select {_FIELDS} {_STANDS}")
_EARLIER = text(f"""
    select {_FIELDS} from einvoice e where invoice_id = :id and edition < {CURRENT} order by edition
""")
_XML = text(f"select coalesce(coded_xml, xml) as xml {_STANDS}")
_CORRECTIONS = text("""
    select e.edition, e.series || '-' || lpad(e.number::text, 8, '0') as number, e.replaces, e.why,
           p.name as made_by, e.made_at, e.sha256
    from invoice_edition e join person p on p.id = e.made_by where e.invoice_id = :id order by e.edition
""")


async def standing(session: AsyncSession, invoice_id: UUID) -> EInvoiceView:
    """Ask only for a document that the reader was shown."""
    return EInvoiceView(**(await session.execute(_ONE, {"id": invoice_id})).one()._mapping)


async def earlier(session: AsyncSession, invoice_id: UUID) -> tuple[EInvoiceView, ...]:
    """Where editions before the one that stands now had got, oldest first."""
    return tuple(EInvoiceView(**row._mapping) for row in await session.execute(_EARLIER, {"id": invoice_id}))


async def corrections(session: AsyncSession, invoice_id: UUID) -> tuple[CorrectionView, ...]:
    """Who said the document anew, when and why, oldest first."""
    rows = await session.execute(_CORRECTIONS, {"id": invoice_id})
    return tuple(CorrectionView(**row._mapping) for row in rows)


async def signed_xml(session: AsyncSession, invoice_id: UUID) -> bytes | None:
    """The signed document, with the tax office's code once it gave it; None until it is signed."""
    found: bytes | None = await session.scalar(_XML, {"id": invoice_id})
    return found
