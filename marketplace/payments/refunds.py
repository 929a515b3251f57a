"""Money on its way back to whoever paid: asked for here, or made at the provider."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound
from marketplace.ledger.accounts import account_id
from marketplace.payments.accounts import bring_in, collect, lock_account, move, send_out
from marketplace.payments.errors import (
    NothingToRefund,
    NotRefundable,
    PaymentDisputed,
    PaymentTakenBack,
    RefundDiffers,
    RefundTooMuch,
)
from marketplace.payments.models import Dispute, Payment, Refund
from marketplace.payments.provider import SeenRefund

RANK = {"requested": 0, "pending": 1, "paid": 2, "failed": 3}


async def ask_refund(
    session: AsyncSession, *, by: Operator, refund_id: UUID, payment_id: str, amount: int | None, reason: str
) -> Refund:
    """Set a payment's money aside to go back, all that is left of it if `amount` is None; the same id again is
    harmless. Raises NotFound, NotRefundable, RefundDiffers, PaymentDisputed, PaymentTakenBack, NothingToRefund,
    RefundTooMuch, InsufficientFunds.
    """
    payment = await session.get(Payment, payment_id)
    if payment is None:
        raise NotFound(what="payment")
    if payment.source != "stripe":
        raise NotRefundable
    await lock_account(session, payment.organisation_id)
    known = await session.get(Refund, refund_id)
    if known is not None:
        if known.payment_id != payment_id or amount not in (None, known.amount):
            raise RefundDiffers(refund_id=str(refund_id))
        return known
    await _require_undisputed(session, payment_id)
    gone, gone_vnd = await _going_back(session, payment_id)
    if gone >= payment.amount:
        raise NothingToRefund
    asked = payment.amount - gone if amount is None else amount
    if not 0 < asked <= payment.amount - gone:
        raise RefundTooMuch(amount=asked, most=payment.amount - gone, currency=payment.currency)
    refund = Refund(
        id=refund_id,
        payment_id=payment_id,
        amount=asked,
        amount_vnd=_part_vnd(payment, gone + asked, gone_vnd),
        state="requested",
        reason=reason,
        asked_by=by.person_id,
    )
    session.add(refund)
    await _reserve(session, payment, refund, "wallet")
    await _record(session, "refund:ask", payment, refund, by)
    return refund


async def settle_refund(session: AsyncSession, payment: Payment, seen: SeenRefund) -> None:
    """Bring our refund to where the provider's stands; one that we did not ask for is owed by the startup."""
    refund = await _ours(session, payment, seen)
    refund.provider_id = seen.id
    if RANK[seen.state] > RANK[refund.state]:
        await _raise_to(session, payment, refund, seen.state)


async def fail_refund(session: AsyncSession, *, refund_id: UUID) -> None:
    """The provider will not do it: the money goes back into the wallet."""
    payment_id = await session.scalar(select(Refund.payment_id).where(Refund.id == refund_id))
    payment = await session.get_one(Payment, payment_id)
    await lock_account(session, payment.organisation_id)
    refund = await session.get_one(Refund, refund_id, populate_existing=True)
    if refund.state == "requested":
        await _raise_to(session, payment, refund, "failed")
        await collect(session, payment.organisation_id)


async def _ours(session: AsyncSession, payment: Payment, seen: SeenRefund) -> Refund:
    for mine in (Refund.provider_id == seen.id, Refund.id == seen.refund_id):
        found = await session.scalar(select(Refund).where(mine, Refund.payment_id == payment.id))
        if found is not None:
            return found
    gone, gone_vnd = await _going_back(session, payment.id)
    refund = Refund(
        id=new_id(),
        payment_id=payment.id,
        provider_id=seen.id,
        amount=seen.amount,
        amount_vnd=_part_vnd(payment, gone + seen.amount, gone_vnd),
        state="requested",
        reason="",
        asked_by=None,
    )
    session.add(refund)
    await _reserve(session, payment, refund, "owed")
    return refund


async def _reserve(session: AsyncSession, payment: Payment, refund: Refund, source: str) -> None:
    await session.flush()
    await move(
        session,
        about=f"refund:{refund.id}",
        step="refund_reserve",
        debit=account_id(payment.organisation_id, source),
        credit=account_id(payment.organisation_id, "refunding"),
        amount_vnd=refund.amount_vnd,
    )


async def _raise_to(session: AsyncSession, payment: Payment, refund: Refund, state: str) -> None:
    """The steps of money between two states. What comes back goes to `owed`, and from there to the wallet."""
    about, before = f"refund:{refund.id}", refund.state
    refunding, owed = (account_id(payment.organisation_id, kind) for kind in ("refunding", "owed"))
    refund.state, refund.looked_at = state, utcnow()
    crossing = {"currency": payment.currency, "amount": refund.amount, "amount_vnd": refund.amount_vnd}
    if state == "paid":
        await send_out(session, about=about, step="refund", source=refunding, **crossing)  # type: ignore[arg-type]
    elif state == "failed" and before == "paid":
        await bring_in(session, about=about, step="refund_back", to=owed, **crossing)  # type: ignore[arg-type]
    elif state == "failed":
        await move(
            session, about=about, step="refund_back", debit=refunding, credit=owed, amount_vnd=refund.amount_vnd
        )
    if state != "pending":
        await _record(session, "refund:pay" if state == "paid" else "refund:fail", payment, refund, None)


async def _require_undisputed(session: AsyncSession, payment_id: str) -> None:
    """Raises PaymentDisputed, PaymentTakenBack."""
    states = await session.scalars(select(Dispute.state).where(Dispute.payment_id == payment_id))
    against = set(states) - {"won"}
    if against:
        raise PaymentTakenBack if against == {"lost"} else PaymentDisputed


async def _going_back(session: AsyncSession, payment_id: str) -> tuple[int, int]:
    """What went back or is on its way: in the payment's unit, and in đồng."""
    sums = select(func.coalesce(func.sum(Refund.amount), 0), func.coalesce(func.sum(Refund.amount_vnd), 0))
    gone, gone_vnd = (
        await session.execute(sums.where(Refund.payment_id == payment_id, Refund.state != "failed"))
    ).one()
    return int(gone), int(gone_vnd)


def _part_vnd(payment: Payment, gone_after: int, gone_vnd: int) -> int:
    """đồng of the next part: all parts together are exactly what was credited."""
    return max(0, payment.amount_vnd * gone_after // payment.amount - gone_vnd)


async def _record(session: AsyncSession, name: str, payment: Payment, refund: Refund, by: Operator | None) -> None:
    await record(
        session,
        name,
        by=by,
        parties=(payment.organisation_id,),
        price_vnd=refund.amount_vnd,
        body={"payment": payment.id, "refund": str(refund.id), "reason": refund.reason},
    )
