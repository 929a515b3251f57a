"""Money of payouts in the ledger: out of earnings when released, out of the house when paid, back when returned.

Each step of a payout has one transfer id, so whatever is repeated is booked once.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.ledger.accounts import account_id, open_account
from marketplace.ledger.actions import Movement, transfer, transfers

CLEARING = "payout_clearing"
"""Account of the exchange: released, and the bank has not said yet what became of it."""
_SPACE = UUID("5d1a0000-0000-8000-8000-a10000000000")
_OUTSIDE = account_id(None, "funding")
_CLEARING = account_id(None, CLEARING)


async def open_clearing(session: AsyncSession) -> None:
    """Again is harmless."""
    await open_account(session, organisation_id=None, kind=CLEARING)


async def book_release(session: AsyncSession, payout_id: UUID, owner_id: UUID, amount_vnd: int, ref: str) -> None:
    """Out of the owner's earnings."""
    await _move(session, payout_id, "payout_release", earnings(owner_id), _CLEARING, amount_vnd, ref)


async def book_paid(session: AsyncSession, payout_id: UUID, amount_vnd: int, ref: str) -> None:
    """Out of the exchange."""
    await _move(session, payout_id, "payout_paid", _CLEARING, _OUTSIDE, amount_vnd, ref)


async def book_return(session: AsyncSession, payout_id: UUID, owner_id: UUID, amount_vnd: int, ref: str) -> None:
    """Back into the owner's earnings."""
    await _move(session, payout_id, "payout_return", _OUTSIDE, earnings(owner_id), amount_vnd, ref)


async def book_sent(session: AsyncSession, payout_id: UUID, amount_vnd: int, ref: str) -> None:
    """Out of the exchange, to Stripe's account of the owner."""
    await _move(session, payout_id, "payout_sent", _CLEARING, _OUTSIDE, amount_vnd, ref)


async def book_refused(session: AsyncSession, payout_id: UUID, owner_id: UUID, amount_vnd: int, ref: str) -> None:
    """Back into the owner's earnings: it never left."""
    await _move(session, payout_id, "payout_refused", _CLEARING, earnings(owner_id), amount_vnd, ref)


async def book_reversed(
    session: AsyncSession, payout_id: UUID, owner_id: UUID, amount_vnd: int, ref: str, *, reversal: str
) -> bool:
    """What Stripe took back, into the owner's earnings. False: it was booked before."""
    made = Movement(
        id=uuid5(_SPACE, f"{payout_id}/payout_reversed/{reversal}"),
        kind="single",
        code="payout_reversed",
        debit=_OUTSIDE,
        credit=earnings(owner_id),
        amount=amount_vnd,
        reference=ref,
    )
    return bool(await transfers(session, [made]))


def earnings(owner_id: UUID) -> UUID:
    """The account of what an owner earned and was not paid."""
    return account_id(owner_id, "earnings")


async def _move(
    session: AsyncSession, payout_id: UUID, code: str, debit: UUID, credit: UUID, amount_vnd: int, ref: str
) -> None:
    await transfer(
        session,
        id=uuid5(_SPACE, f"{payout_id}/{code}"),
        debit=debit,
        credit=credit,
        amount=amount_vnd,
        code=code,
        reference=ref,
    )
