"""Says an invoice anew: under its own number where the tax office refused it, else in place of it.

Decree 123/2020, Article 19, as amended by Decree 70/2025: a document with a code is replaced by one that names it,
and once it was adjusted it is only adjusted again. What was refused was never issued, so its number and day are
still its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.calendar import VIETNAM
from marketplace.einvoices.errors import AlreadyAdjusted, NotAnsweredYet
from marketplace.einvoices.reads import standing
from marketplace.einvoices.schemas import EInvoiceView
from marketplace.invoices.document import Correction, Document, Party, sha256_of
from marketplace.invoices.left import lock_credits
from marketplace.invoices.models import InvoiceEdition
from marketplace.invoices.numbering import Kind, lock_series, next_number, series_of
from marketplace.invoices.reads import find
from marketplace.invoices.writing import parties, to_sign

_ADJUSTED = text("select exists (select from invoice where corrects_id = :id)")


async def correct(
    session: AsyncSession,
    *,
    invoice_id: UUID,
    buyer: Party,
    why: str,
    by: Operator,
    at: datetime,
    retry_after_s: int,
    edition_id: UUID,
) -> Document:
    """The edition that the next sweep signs and sends. Lines and amounts stay: credits change those.

    Raises NotFound, NotAnsweredYet, AlreadyAdjusted, NoSeller."""
    await lock_credits(session, invoice_id)
    before = (await find(session, invoice_id, party=None)).document
    office = await standing(session, invoice_id)
    if office.state in {"unsigned", "waiting"}:
        raise NotAnsweredYet(retry_after_s=retry_after_s)
    if office.state == "coded":
        await _require_replaceable(session, before)
    seller, _ = await parties(session, before.organisation_id)
    after = msgspec.structs.replace(before, seller=seller, buyer=buyer, edition=before.edition + 1)
    if office.state == "coded":
        after = await _renumbered(session, before, after, at)
    await session.execute(insert(InvoiceEdition).values(**_row(after, edition_id, office, why, by), made_at=at))
    await to_sign(session, after.id, edition=after.edition)
    await _told(session, before, after, office, why, by)
    return after


async def _require_replaceable(session: AsyncSession, document: Document) -> None:
    if document.kind == "credit_note" or await session.scalar(_ADJUSTED, {"id": document.id}):
        raise AlreadyAdjusted(number=document.name)


async def _renumbered(session: AsyncSession, before: Document, after: Document, at: datetime) -> Document:
    """Under the next number of this year's series, naming the one before."""
    kind: Kind = "invoice"
    series = series_of(kind, at)
    await lock_series(session, series)
    named = Correction(
        invoice_id=before.id, series=before.series, number=before.number, issued_at=before.issued_at
    )  # fmt: skip
    number = await next_number(session, series, at)
    year = at.astimezone(VIETNAM).year
    return msgspec.structs.replace(after, series=series, year=year, number=number, issued_at=at, replaces=named)


def _row(after: Document, edition_id: UUID, office: EInvoiceView, why: str, by: Operator) -> dict[str, Any]:
    return {
        "id": edition_id,
        "invoice_id": after.id,
        "edition": after.edition,
        "series": after.series,
        "year": after.year,
        "number": after.number,
        "replaces": office.state == "coded",
        "why": why,
        "seller_name": after.seller.name,
        "seller_tax_code": after.seller.tax_code,
        "buyer_name": after.buyer.name,
        "buyer_tax_code": after.buyer.tax_code,
        "sha256": sha256_of(after),
        "made_by": by.person_id,
        "issued_at": after.issued_at,
    }


async def _told(
    session: AsyncSession, before: Document, after: Document, office: EInvoiceView, why: str, by: Operator
) -> None:
    await record(
        session,
        "einvoice:correct",
        by=by,
        parties=(after.organisation_id,),
        body={
            "invoice": after.id,
            "edition": after.edition,
            "number": after.name,
            "before": before.name,
            "refusal": office.refusal,
            "why": why,
            "sha256": sha256_of(after),
        },
    )
