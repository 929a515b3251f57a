"""A wallet with money in it and accounts to spend it on."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import transfer
from tests.marketplace.parties import Make


class Books(Struct, frozen=True):
    wallet: UUID
    earnings: UUID
    platform: UUID


async def open_books(session: AsyncSession, *, credit: int) -> Books:
    """A fresh startup's wallet holding `credit`, a fresh owner's earnings, the exchange's own account."""
    startup = await Make().organisation(session, kind="startup")
    owner = await Make().organisation(session, kind="owner")
    wallet = account_id(startup.id, "wallet")
    funding = account_id(None, "funding")
    if credit:
        await transfer(session, id=new_id(), debit=funding, credit=wallet, amount=credit, code="wallet_credit")
    return Books(
        wallet=wallet,
        earnings=account_id(owner.id, "earnings"),
        platform=account_id(None, "platform"),
    )
