"""Which accounts there are. An account's id follows from whose it is and what for, so nobody looks one up."""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import utcnow
from marketplace.ledger.models import Account, AccountBalance

_SPACE = UUID("5d1a0000-0000-8000-8000-acc000000000")


def account_id(organisation_id: UUID | None, kind: str, currency: str = "VND") -> UUID:
    """The id of a party's account of a kind; None: the exchange's own. It need not be open."""
    return uuid5(_SPACE, f"{organisation_id}/{kind}/{currency}")


async def open_account(
    session: AsyncSession,
    *,
    organisation_id: UUID | None,
    kind: str,
    currency: str = "VND",
    floor: int | None = None,
) -> UUID:
    """The account's id, made if it is not there. `floor` in the currency's smallest unit; None: no floor."""
    key = account_id(organisation_id, kind, currency)
    row = {"id": key, "organisation_id": organisation_id, "kind": kind, "currency": currency, "floor": floor}
    made = insert(Account).values(**row, created_at=utcnow()).on_conflict_do_nothing().returning(Account.id)
    if await session.scalar(made) is not None and floor is not None:
        zero = {"debits_posted": 0, "credits_posted": 0, "debits_pending": 0, "credits_pending": 0}
        await session.execute(insert(AccountBalance).values(account_id=key, **zero))
    return key
