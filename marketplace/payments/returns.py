"""A refund that was set aside, on its way through the provider."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from marketplace.db.engine import Database
from marketplace.faults import point
from marketplace.payments.effects import settle
from marketplace.payments.errors import AnswerKept, ProviderRefused
from marketplace.payments.models import Refund
from marketplace.payments.provider import Provider, SeenPayment
from marketplace.payments.refunds import fail_refund


async def send_refund(database: Database, provider: Provider, refund_id: UUID) -> None:
    """Ask for it, unless the provider has it already. Raises ProviderUnavailable: a sweep comes again."""
    async with database.reading() as session:
        refund = await session.get_one(Refund, refund_id)
    if refund.state not in ("requested", "pending"):
        return
    seen = await provider.payment(refund.payment_id)
    await _settle(database, seen)
    if refund.state == "pending" or any(one.refund_id == refund_id for one in seen.refunds):
        return
    try:
        made = await provider.refund(
            payment_id=refund.payment_id,
            refund_id=refund_id,
            amount=refund.amount,
            key=f"refund-{refund_id}-{refund.attempt}",
        )
    except AnswerKept:
        async with database.session() as session:
            row = update(Refund).where(Refund.id == refund_id)
            await session.execute(row.values(attempt=refund.attempt + 1))
        raise
    except ProviderRefused:
        async with database.session() as session:
            await fail_refund(session, refund_id=refund_id)
        return
    point("refund-sent")
    await _settle(database, made)


async def _settle(database: Database, seen: SeenPayment) -> None:
    async with database.session() as session:
        await settle(session, seen)
        point("refund-before-commit")
