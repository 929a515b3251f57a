"""Each charge sets its tax aside in whole đồng; a document states it once. The đồng between them are moved here.

So the account `vat` holds exactly what invoices less credit notes say, and the exchange bears the rounding.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id
from marketplace.invoices.document import Document
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import transfer

CODE = "vat_rounding"


async def round_tax(session: AsyncSession, document: Document, *, booked_vnd: int) -> None:
    """`booked_vnd`: the tax that charges set aside, or that refunds took out, for what the document is made of."""
    short = document.vat_vnd - booked_vnd
    if document.kind == "credit_note":
        short = -short
    if not short:
        return
    platform, vat = account_id(None, "platform"), account_id(None, "vat")
    await transfer(
        session,
        id=new_id(),
        debit=platform if short > 0 else vat,
        credit=vat if short > 0 else platform,
        amount=abs(short),
        code=CODE,
        reference=document.name,
    )
