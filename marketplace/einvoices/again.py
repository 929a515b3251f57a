"""What a person may do about a document that is stuck: have it signed, or the tax office asked, again now."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.einvoices.errors import NothingToSend
from marketplace.einvoices.messages import message_id
from marketplace.einvoices.reads import standing
from marketplace.invoices.reads import find

_AGAIN = text("""
    update einvoice set next_at = :at
    where invoice_id = :id and (state = 'waiting' or state = 'unsigned' and trouble = 'fault') returning invoice_id
""")


async def send_again(session: AsyncSession, *, invoice_id: UUID, by: Operator, at: datetime) -> None:
    """The next sweep signs it, if that failed, and asks, always under the same message id.

    Raises NotFound, NothingToSend."""
    document = (await find(session, invoice_id, party=None)).document
    if await session.scalar(_AGAIN, {"id": invoice_id, "at": at}) is None:
        raise NothingToSend(number=document.name, state=(await standing(session, invoice_id)).state)
    message = message_id(invoice_id, document.seller.tax_code, edition=document.edition)
    await record(
        session,
        "einvoice:retry",
        by=by,
        parties=(document.organisation_id,),
        body={"invoice": invoice_id, "message": message},
    )
