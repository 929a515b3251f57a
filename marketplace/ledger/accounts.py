"""Which accounts there are, and how to find them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound
from marketplace.ledger.models import Account, AccountBalance


async def open_account(
    session: AsyncSession,
    *,
    organisation_id: UUID | None,
    kind: str,
    currency: str = "VND",
    floor: int | None = None,
) -> UUID:
    """The account's id, made if it is not there. `floor` in the currency's smallest unit; None: no floor."""
    row = {"id": new_id(), "organisation_id": organisation_id, "kind": kind, "currency": currency}
    made = insert(Account).values(**row, floor=floor, created_at=utcnow()).on_conflict_do_nothing()
    account_id: UUID | None = await session.scalar(made.returning(Account.id))
    if account_id is None:
        return await account(session, organisation_id=organisation_id, kind=kind, currency=currency)
    if floor is not None:
        zero = {"debits_posted": 0, "credits_posted": 0, "debits_pending": 0, "credits_pending": 0}
        await session.execute(insert(AccountBalance).values(account_id=account_id, **zero))
    return account_id


async def account(
    session: AsyncSession, *, organisation_id: UUID | None, kind: str, currency: str = "VND"
) -> UUID:
    """The account's id. Raises NotFound."""
    found: UUID | None = await session.scalar(
        select(Account.id).where(
            Account.organisation_id.is_not_distinct_from(organisation_id),
            Account.kind == kind,
            Account.currency == currency,
        )
    )
    if found is None:
        raise NotFound(what=f"account:{kind}")
    return found
