"""Writes a document with its event, in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.db.base import utcnow
from marketplace.errors import NotFound
from marketplace.invoices.document import Document, Party, sha256_of
from marketplace.invoices.errors import NoSeller
from marketplace.invoices.models import Invoice, InvoiceLine

_SELLER = text("""
    select name, tax_code from organisation where kind = 'operator' and suspended_at is null
    order by created_at, id limit 1
""")
_TO_SIGN = text("""
    insert into einvoice (invoice_id, edition, state, attempts, next_at)
    values (:invoice, :edition, 'unsigned', 0, :at)
""")
_BUYER = text("select name, tax_code from organisation where id = :id")
EVENTS = {"invoice": "invoice:issue", "credit_note": "invoice:credit"}


async def parties(session: AsyncSession, buyer_id: UUID) -> tuple[Party, Party]:
    """Seller and buyer as they are called now. Raises NoSeller, NotFound."""
    seller = (await session.execute(_SELLER)).one_or_none()
    if seller is None:
        raise NoSeller
    buyer = (await session.execute(_BUYER, {"id": buyer_id})).one_or_none()
    if buyer is None:
        raise NotFound(what="organisation")
    return Party(**seller._mapping), Party(**buyer._mapping)


async def write(session: AsyncSession, document: Document, *, by: Operator | None) -> str:
    """Rows and event of the document; its hash. `by` None: the command line."""
    sha256 = sha256_of(document)
    await session.execute(insert(Invoice).values(**_header(document), sha256=sha256))
    lines = [{"invoice_id": document.id, **msgspec.structs.asdict(line)} for line in document.lines]
    await session.execute(insert(InvoiceLine), lines)
    await to_sign(session, document.id, edition=1)
    await record(
        session,
        EVENTS[document.kind],
        by=by,
        parties=(document.organisation_id,),
        price_vnd=document.gross_vnd,
        body=_told(document, sha256),
    )
    return sha256


async def to_sign(session: AsyncSession, invoice_id: UUID, *, edition: int) -> None:
    """The next sweep finds it without looking through all documents."""
    await session.execute(_TO_SIGN, {"invoice": invoice_id, "edition": edition, "at": utcnow()})


def _header(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "kind": document.kind,
        "series": document.series,
        "year": document.year,
        "number": document.number,
        "organisation_id": document.organisation_id,
        "period": document.period,
        "corrects_id": document.corrects.invoice_id if document.corrects else None,
        "reason": document.reason,
        "seller_name": document.seller.name,
        "seller_tax_code": document.seller.tax_code,
        "buyer_name": document.buyer.name,
        "buyer_tax_code": document.buyer.tax_code,
        "gross_vnd": document.gross_vnd,
        "vat_vnd": document.vat_vnd,
        "issued_at": document.issued_at,
    }


def _told(document: Document, sha256: str) -> Mapping[str, Any]:
    corrects = {"corrects": str(document.corrects.invoice_id)} if document.corrects else {}
    return corrects | {
        "invoice": str(document.id),
        "number": document.name,
        "period": document.period,
        "net_vnd": document.net_vnd,
        "vat_vnd": document.vat_vnd,
        "sha256": sha256,
    }
