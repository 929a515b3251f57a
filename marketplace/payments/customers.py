"""A startup as the provider knows it: its customer there, made when it first pays, and anew where it is gone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy import select, update

from marketplace.accounts.models import Organisation
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.payments.accounts import lock_account
from marketplace.payments.errors import CustomerGone
from marketplace.payments.models import PaymentAccount, SavedMethod
from marketplace.payments.provider import Provider


async def ensure_customer(database: Database, provider: Provider, organisation_id: UUID) -> str:
    """The startup at the provider, made when it first pays."""
    async with database.reading() as session:
        known = await session.scalar(
            select(PaymentAccount.customer_id).where(PaymentAccount.organisation_id == organisation_id)
        )
        name = await session.scalar(select(Organisation.name).where(Organisation.id == organisation_id))
    if known is not None:
        return known
    made = await provider.new_customer(organisation_id=organisation_id, name=name or "")
    async with database.session() as session:
        account = await lock_account(session, organisation_id)
        account.customer_id = account.customer_id or made
        return account.customer_id


@contextlib.asynccontextmanager
async def customer_known(
    database: Database, provider: Provider, organisation_id: UUID, customer_id: str
) -> AsyncIterator[None]:
    """Makes another customer in place of one that the provider knows no more, for the next step; what was saved of
    that one is gone with it."""
    try:
        yield
    except CustomerGone:
        async with database.reading() as session:
            name = await session.scalar(select(Organisation.name).where(Organisation.id == organisation_id))
        made = await provider.new_customer(
            organisation_id=organisation_id, name=name or "", instead_of=customer_id
        )
        async with database.session() as session:
            account = await lock_account(session, organisation_id)
            if account.customer_id == customer_id:
                account.customer_id = made
                account.auto_paused = account.auto_method_id and "method_removed"
                mine = update(SavedMethod).where(SavedMethod.organisation_id == organisation_id)
                await session.execute(mine.where(SavedMethod.removed_at.is_(None)).values(removed_at=utcnow()))
        raise
