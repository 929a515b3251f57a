"""What a payment as it was seen means for us: the same again, late or in any order changes nothing twice.

Each object's state only rises (an old look never undoes a newer one), each step of money has the object's id in
its own, and a payment is settled before what followed it.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.db.base import utcnow
from marketplace.ledger.accounts import account_id
from marketplace.payments.accounts import bring_in, collect, lock_account
from marketplace.payments.disputes import settle_dispute
from marketplace.payments.models import Payment, PaymentAccount, SavedMethod, TopUp
from marketplace.payments.provider import SeenCheckout, SeenMethod, SeenPayment
from marketplace.payments.rates import in_vnd
from marketplace.payments.refunds import settle_refund

WAITING = ("starting", "open")


async def settle(session: AsyncSession, seen: SeenPayment) -> UUID | None:
    """The startup it concerned; None: it is no order of ours, so nothing was done."""
    if seen.top_up_id is None:
        return None
    organisation_id = await session.scalar(select(TopUp.organisation_id).where(TopUp.id == seen.top_up_id))
    if organisation_id is None:
        return None
    account = await lock_account(session, organisation_id)
    order = await session.get_one(TopUp, seen.top_up_id, populate_existing=True)
    if seen.method is not None:
        await note_method(session, organisation_id, seen.method)
    if seen.state == "paid":
        payment = await _pay(session, order, seen)
        for refund in seen.refunds:
            await settle_refund(session, payment, refund)
        for dispute in seen.disputes:
            await settle_dispute(session, payment, dispute)
        await collect(session, organisation_id)
    await _note_state(session, account, order, seen)
    return organisation_id


async def settle_checkout(session: AsyncSession, seen: SeenCheckout) -> None:
    """A page that is over without a payment."""
    if not seen.expired or seen.top_up_id is None:
        return
    order = await session.get(TopUp, seen.top_up_id, with_for_update=True, populate_existing=True)
    if order is not None and order.state in WAITING:
        order.state, order.url = "expired", None
        await _record(session, "topup:expire", order)


async def note_method(session: AsyncSession, organisation_id: UUID, seen: SeenMethod) -> None:
    """Keep, or mark as removed, what the startup's saved method is known by."""
    removed_at = utcnow() if seen.customer_id is None else None
    row = {"brand": seen.brand, "last4": seen.last4, "expires": seen.expires, "removed_at": removed_at}
    put = insert(SavedMethod).values(id=seen.id, organisation_id=organisation_id, added_at=utcnow(), **row)
    await session.execute(put.on_conflict_do_update(index_elements=[SavedMethod.id], set_=row))


async def _pay(session: AsyncSession, order: TopUp, seen: SeenPayment) -> Payment:
    """The payment's row, and its money in the wallet, once."""
    found = await session.get(Payment, seen.id)
    if found is not None:
        return found
    amount_vnd = in_vnd(seen.amount, order.rate_vnd if seen.currency == "USD" else None)
    payment = Payment(
        id=seen.id,
        source="stripe",
        top_up_id=order.id,
        organisation_id=order.organisation_id,
        currency=seen.currency,
        amount=seen.amount,
        amount_vnd=amount_vnd,
        paid_at=seen.at,
    )
    session.add(payment)
    await session.flush()
    await bring_in(
        session,
        about=f"stripe:{seen.id}",
        step="top_up",
        to=account_id(order.organisation_id, "wallet"),
        currency=seen.currency,
        amount=seen.amount,
        amount_vnd=amount_vnd,
    )
    await _record(session, "topup:pay", order, payment=seen.id, amount_vnd=amount_vnd)
    return payment


async def _note_state(session: AsyncSession, account: PaymentAccount, order: TopUp, seen: SeenPayment) -> None:
    order.looked_at = utcnow()
    if order.kind != "checkout" and order.provider_id is None:
        order.provider_id = seen.id
    if seen.state == "paid":
        order.state, order.url, order.decline_code = "paid", None, None
    elif order.state in WAITING:
        order.decline_code = seen.decline_code or order.decline_code
        if seen.state == "cancelled":
            await fail(session, account, order, order.decline_code or "cancelled")
        elif order.provider_id is not None:  # a page whose id is not written down yet could not be found again
            order.state = "open"
            order.url = seen.action_url or order.url


async def fail(session: AsyncSession, account: PaymentAccount, order: TopUp, code: str) -> None:
    """The order brings nothing; an auto top-up takes nothing more until a person has looked."""
    order.state, order.url, order.decline_code = "failed", None, code
    if order.kind == "auto":
        account.auto_paused = code
    await _record(session, "topup:fail", order, code=code)


async def _record(
    session: AsyncSession, name: str, order: TopUp, *, amount_vnd: int | None = None, **body: str
) -> None:
    await record(
        session,
        name,
        parties=(order.organisation_id,),
        price_vnd=order.amount_vnd if amount_vnd is None else amount_vnd,
        body={"top_up": str(order.id), "kind": order.kind, **body},
    )
