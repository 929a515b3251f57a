"""A payer's bank takes a payment back, perhaps: the money is frozen at once, and released or gone at the end."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.db.base import utcnow
from marketplace.ledger.accounts import account_id
from marketplace.payments.accounts import move, send_out
from marketplace.payments.models import Dispute, Payment
from marketplace.payments.provider import SeenDispute

RANK = {"open": 0, "won": 1, "lost": 2}
EVENTS = {"open": "dispute:open", "won": "dispute:win", "lost": "dispute:lose"}


async def settle_dispute(session: AsyncSession, payment: Payment, seen: SeenDispute) -> None:
    """Bring our dispute to where the provider's stands. Under the startup's lock; `collect` comes after it."""
    dispute = await session.get(Dispute, seen.id, populate_existing=True)
    if dispute is None:
        dispute = Dispute(
            id=seen.id,
            payment_id=payment.id,
            amount=seen.amount,
            amount_vnd=payment.amount_vnd * min(seen.amount, payment.amount) // payment.amount,
            state="open",
            reason=seen.reason,
            opened_at=seen.created_at,
        )
        session.add(dispute)
        await session.flush()
        await _freeze(session, payment, dispute, "dispute_freeze")
        await _record(session, payment, dispute)
    if RANK[seen.state] > RANK[dispute.state]:
        await _close(session, payment, dispute, seen.state)


async def _close(session: AsyncSession, payment: Payment, dispute: Dispute, state: str) -> None:
    about, before = f"stripe:{dispute.id}", dispute.state
    owed, disputed = (account_id(payment.organisation_id, kind) for kind in ("owed", "disputed"))
    dispute.state, dispute.closed_at = state, utcnow()
    if state == "won":
        await move(
            session, about=about, step="dispute_release", debit=disputed, credit=owed,
            amount_vnd=dispute.amount_vnd,
        )  # fmt: skip
    else:
        if before == "won":
            await _freeze(session, payment, dispute, "dispute_freeze_again")
        await send_out(
            session, about=about, step="dispute_taken", source=disputed, currency=payment.currency,
            amount=min(dispute.amount, payment.amount), amount_vnd=dispute.amount_vnd,
        )  # fmt: skip
    await _record(session, payment, dispute)


async def _freeze(session: AsyncSession, payment: Payment, dispute: Dispute, step: str) -> None:
    owed, disputed = (account_id(payment.organisation_id, kind) for kind in ("owed", "disputed"))
    await move(
        session, about=f"stripe:{dispute.id}", step=step, debit=owed, credit=disputed,
        amount_vnd=dispute.amount_vnd,
    )  # fmt: skip


async def _record(session: AsyncSession, payment: Payment, dispute: Dispute) -> None:
    await record(
        session,
        EVENTS[dispute.state],
        parties=(payment.organisation_id,),
        price_vnd=dispute.amount_vnd,
        body={"payment": payment.id, "dispute": dispute.id, "reason": dispute.reason},
    )
