"""Webhooks: what a notice names is looked at again, and stored in the transaction of what follows from the look.

So a notice may come late, twice, in any order, or never: `catch_up` asks for those of which nobody told.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.faults import point
from marketplace.payments.accounts import lock_account
from marketplace.payments.effects import note_method, settle, settle_checkout
from marketplace.payments.errors import ProviderRefused, ProviderUnavailable
from marketplace.payments.models import PaymentAccount, ProviderEvent, SavedMethod
from marketplace.payments.paying_out import settle_transfer
from marketplace.payments.provider import Notice, Provider, SeenCheckout, SeenMethod, SeenPayment
from marketplace.payouts.carrier import SeenTransfer

logger = logging.getLogger(__name__)

KEPT = timedelta(days=30)
"""So long Stripe keeps events; looked through once at first, then only the last days."""
OVERLAP = timedelta(days=3)
AWAY_AFTER = 10
"""So many unanswered in a row: it is the provider, not what we ask about."""
LOOKED = "looked"
"""Type of our own row among the provider's events: all that happened before its `created_at` was taken."""

_LOOKED = text("select created_at from provider_event where type = :type order by created_at desc limit 1")
_KNOWN = text("select id from provider_event where id = :id")
Look = tuple[SeenPayment | None, SeenCheckout | None, SeenMethod | None, SeenTransfer | None]


async def take_notice(database: Database, provider: Provider, notice: Notice) -> bool:
    """False if it was taken before. Raises ProviderUnavailable: it is not taken, and comes again."""
    if await database.one(_KNOWN, {"id": notice.id}) is not None:
        return False
    payment, checkout, method, transfer = await _look(provider, notice)
    point("notice-looked")
    async with database.session() as session:
        if not await _store(session, notice):
            return False
        if payment is not None:
            await settle(session, payment)
        if checkout is not None:
            await settle_checkout(session, checkout)
        if method is not None:
            await _settle_method(session, method)
        if transfer is not None:
            await settle_transfer(session, transfer)
        point("notice-before-commit")
    point("notice-stored")
    return True


async def catch_up(database: Database, provider: Provider, at: datetime) -> int:
    """Take what happened since the last look and was never told to us; how many.

    One that cannot be taken keeps no other from it, and is tried again until the provider no longer has it.
    Raises ProviderUnavailable when it answers about none of several in a row: the next call begins there again.
    """
    taken, unanswered, oldest_missed = 0, 0, at
    async for notice in provider.notices(await _looked_until(database, at) - OVERLAP):
        try:
            taken += await take_notice(database, provider, notice)
            unanswered = 0
        except ProviderUnavailable:
            unanswered += 1
            if unanswered == AWAY_AFTER:
                raise
            logger.warning("the provider does not answer about %s", notice.id)
            oldest_missed = min(oldest_missed, notice.created_at)
        except (Unavailable, OperationalError, OSError):
            raise
        except Exception:
            logger.exception("cannot take %s, %s", notice.id, notice.type)
            oldest_missed = min(oldest_missed, notice.created_at)
    await _note_looked(database, at, oldest_missed)
    return taken


async def _looked_until(database: Database, at: datetime) -> datetime:
    """All that happened before it was taken. Asked of the database: after a restart it is known still."""
    row = await database.one(_LOOKED, {"type": LOOKED})
    return max(at - KEPT, row.created_at) if row is not None else at - KEPT


async def _note_looked(database: Database, at: datetime, until: datetime) -> None:
    row = {"id": f"looked:{at.isoformat()}", "type": LOOKED, "object_id": "", "created_at": until, "at": at}
    async with database.session() as session:
        await session.execute(insert(ProviderEvent).values(**row).on_conflict_do_nothing())


async def _look(provider: Provider, notice: Notice) -> Look:
    """The object as it stands now. What is gone, or was never of this account, is nothing."""
    try:
        if notice.about == "payment":
            return await provider.payment(notice.object_id), None, None, None
        if notice.about == "checkout":
            page = await provider.checkout(notice.object_id)
            return await provider.payment(page.payment_id) if page.payment_id else None, page, None, None
        if notice.about == "method":
            return None, None, await provider.method(notice.object_id), None
        if notice.about == "transfer":
            return None, None, None, await provider.transfer(notice.object_id)
    except ProviderRefused:
        pass
    return None, None, None, None


async def _store(session: AsyncSession, notice: Notice) -> bool:
    row = {
        "id": notice.id,
        "type": notice.type,
        "object_id": notice.object_id,
        "created_at": notice.created_at,
        "at": utcnow(),
    }
    put = insert(ProviderEvent).values(**row).on_conflict_do_nothing().returning(ProviderEvent.id)
    return await session.scalar(put) is not None


async def _settle_method(session: AsyncSession, seen: SeenMethod) -> None:
    """Attached to a startup we know, or detached from one."""
    whose = select(PaymentAccount.organisation_id).where(PaymentAccount.customer_id == seen.customer_id)
    if seen.customer_id is None:
        whose = select(SavedMethod.organisation_id).where(SavedMethod.id == seen.id)
    organisation_id = await session.scalar(whose)
    if organisation_id is None:
        return
    account = await lock_account(session, organisation_id)
    await note_method(session, organisation_id, seen)
    if seen.customer_id is None and account.auto_method_id == seen.id:
        account.auto_paused = "method_removed"
