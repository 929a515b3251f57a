"""Owners' payouts through Stripe: sent once, whatever is heard of it; what is taken back is the owner's again."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.faults import point
from marketplace.payments.errors import AnswerKept, ProviderRefused
from marketplace.payments.provider import Provider
from marketplace.payouts.booking import book_refused, book_reversed, book_sent
from marketplace.payouts.carrier import PayoutOrder, SeenTransfer
from marketplace.payouts.models import Payout, PayoutTransfer

logger = logging.getLogger(__name__)

NOT_CAPABLE: Final = "insufficient_capabilities_for_transfer"
CAPABLE_WITHIN: Final = timedelta(days=3)
"""From its release. Stripe checks a new account for a day or two; one that is not fit by then is its owner's."""
WAITS: Final = frozenset({
    "balance_insufficient", NOT_CAPABLE,
    # Its key carried something else, and nothing is there with its reference: it is asked for with the next one.
    "idempotency_key_reused", "IdempotencyError",
})  # fmt: skip
"""Refusals that pass: it stays released, with its trouble on its batch's page, and is asked for again."""
_LOCKED = text("select pg_advisory_xact_lock(hashtextextended('payouts', 0))")
_CARRIED_BY = text("select transfer_id from payout_transfer where payout_id = :id")
_ORDER = text("""
    select p.id, p.state, p.amount_vnd, p.reference, a.account_number, coalesce(t.attempt, 0) as attempt,
           b.decided_at as released_at
    from payout p join payout_account a on a.id = p.account_id and a.bank_code = 'stripe'
    join payout_batch b on b.id = p.batch_id
    left join payout_transfer t on t.payout_id = p.id where p.id = :id
""")


async def send_payout(database: Database, provider: Provider, payout_id: UUID) -> None:
    """Send a released payout, unless Stripe has it already. Raises ProviderUnavailable: a sweep comes again."""
    row = await database.one(_ORDER, {"id": payout_id})
    if row is None or row.state != "released":
        return
    await _note(database, payout_id, attempt=row.attempt)
    seen = await provider.find_transfer(row.reference)
    if seen is None:
        order = PayoutOrder(
            payout_id=payout_id, destination=row.account_number, amount_vnd=row.amount_vnd,
            reference=row.reference, key=f"payout-{payout_id}-{row.attempt}",
        )  # fmt: skip
        try:
            seen = await provider.send_transfer(order)
        except AnswerKept:
            await _note(database, payout_id, attempt=row.attempt + 1)
            raise
        except ProviderRefused as refused:
            reason = str(refused.params["reason"])
            waits = reason in WAITS and not (reason == NOT_CAPABLE and utcnow() - row.released_at > CAPABLE_WITHIN)
            await _refused(database, payout_id, row.attempt, reason, waits=waits)
            return
    point("payout-sent")
    async with database.session() as session:
        await settle_transfer(session, seen)
        point("payout-before-commit")


async def settle_transfer(session: AsyncSession, seen: SeenTransfer) -> None:
    """Book what is seen and not booked yet: that it went out, and each part that was taken back."""
    await session.execute(_LOCKED)
    payout = await session.scalar(select(Payout).where(Payout.reference == seen.reference))
    if payout is None or payout.state in ("proposed", "cancelled"):
        return
    if payout.amount_vnd != seen.amount_vnd:
        logger.error("transfer %s has another amount than payout %s", seen.id, payout.id)
        return  # `ledger reconcile` names it
    if payout.state == "released":
        await book_sent(session, payout.id, payout.amount_vnd, payout.reference)
        payout.state = "paid"
        put = insert(PayoutTransfer).values(payout_id=payout.id, attempt=0, transfer_id=seen.id)
        known = {"transfer_id": seen.id, "trouble": None}
        await session.execute(put.on_conflict_do_update(index_elements=["payout_id"], set_=known))
        await _told(session, "payout:paid", payout, payout.amount_vnd, seen.id)
    elif await session.scalar(_CARRIED_BY, {"id": payout.id}) != seen.id:
        logger.error("transfer %s is not the one that carried payout %s", seen.id, payout.id)
        return  # what is taken back of it never was the owner's
    for reversal in seen.reversals:
        booked = await book_reversed(
            session, payout.id, payout.owner_id, reversal.amount_vnd, payout.reference, reversal=reversal.id
        )
        if booked:
            await _told(session, "payout:return", payout, reversal.amount_vnd, reversal.id, reason="reversed")
    if sum(each.amount_vnd for each in seen.reversals) == payout.amount_vnd:
        payout.state = "returned"


async def _refused(database: Database, payout_id: UUID, attempt: int, reason: str, *, waits: bool) -> None:
    """It never left: the owner has it again, or it is asked for again."""
    if waits:
        logger.error("payout %s waits: %s", payout_id, reason)
        await _note(database, payout_id, attempt=attempt + 1, trouble=reason)
        return
    async with database.session() as session:
        await session.execute(_LOCKED)
        payout = await session.get_one(Payout, payout_id)
        if payout.state != "released":
            return
        await book_refused(session, payout.id, payout.owner_id, payout.amount_vnd, payout.reference)
        payout.state = "returned"
        await _told(session, "payout:return", payout, payout.amount_vnd, "", reason=reason)
        await session.execute(_noted(payout_id, attempt=attempt, trouble=reason))


async def _note(database: Database, payout_id: UUID, *, attempt: int, trouble: str | None = None) -> None:
    async with database.session() as session:
        await session.execute(_noted(payout_id, attempt=attempt, trouble=trouble))


def _noted(payout_id: UUID, *, attempt: int, trouble: str | None) -> Insert:
    values = {"attempt": attempt, "trouble": trouble, "looked_at": utcnow()}
    put = insert(PayoutTransfer).values(payout_id=payout_id, **values)
    return put.on_conflict_do_update(index_elements=["payout_id"], set_=values)


async def _told(
    session: AsyncSession, name: str, payout: Payout, amount_vnd: int, at_stripe: str, *, reason: str | None = None
) -> None:
    body = {"payout": payout.id, "reference": payout.reference, "bank_reference": at_stripe}
    await record(
        session,
        name,
        parties=(payout.owner_id,),
        price_vnd=amount_vnd,
        body=body | ({"reason": reason} if reason is not None else {}),
    )
