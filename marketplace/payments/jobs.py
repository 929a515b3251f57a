"""Background work on payments: low wallets, orders, refunds and payouts that wait, notices nobody told, debts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError, OperationalError

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.ledger.reads import not_even
from marketplace.payments.accounts import collect, lock_account
from marketplace.payments.auto import fill, low_wallets
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.notices import catch_up
from marketplace.payments.opening import open_payments
from marketplace.payments.paying_out import send_payout
from marketplace.payments.provider import Provider
from marketplace.payments.returns import send_refund
from marketplace.payments.topups import advance

logger = logging.getLogger(__name__)

AT_ONCE = 50
"""Of each kind in one sweep; what is left comes next, as each that was looked at goes to the end of the line."""
UNHEARD_AFTER = timedelta(minutes=1)
LOOK_AGAIN_AFTER = timedelta(minutes=10)
CATCH_UP_EVERY_S = 3_600

_ORDERS = text("""
    update top_up set looked_at = :now where id in (
        select id from top_up where kind <> 'bank' and (state = 'starting' and looked_at < :unheard
            or state = 'open' and looked_at < :again) order by looked_at limit :rows for update skip locked)
    returning id
""")
_REFUNDS = text("""
    update refund set looked_at = :now where id in (
        select id from refund where state = 'requested' and looked_at < :unheard
            or state = 'pending' and looked_at < :again order by looked_at limit :rows for update skip locked)
    returning id
""")


_PAYOUTS = text("""
    select p.id from payout p join payout_account a on a.id = p.account_id and a.bank_code = 'stripe'
    left join payout_transfer t on t.payout_id = p.id
    where p.state = 'released' and (t.looked_at is null or t.looked_at < :unheard)
    order by t.looked_at nulls first, p.id limit :rows
""")


async def run_payments(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Until `stop`; waits out a database or a provider that is away."""
    async with open_payments(config) as payments:
        swept = caught_up = -float("inf")
        while not stop.is_set():
            now = time.monotonic()
            with _waiting_out():
                if payments.provider is not None:
                    await fill_wallets(database, payments.provider, config)
            if now - swept >= config.sweep_interval_s:
                swept = now
                with _waiting_out():
                    await sweep(database, payments.provider, config)
            if payments.provider is not None and now - caught_up >= CATCH_UP_EVERY_S:
                caught_up = now - CATCH_UP_EVERY_S + config.sweep_interval_s  # if it fails, it waits for a sweep
                with _waiting_out():
                    await catch_up(database, payments.provider, utcnow())
                    caught_up = now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), config.payments_interval_ms / 1_000)


async def fill_wallets(database: Database, provider: Provider, config: Config) -> None:
    """An order for each wallet that is low, and its money if the provider answers."""
    for organisation_id in await low_wallets(database):
        top_up_id = await fill(database, config, organisation_id)
        if top_up_id is not None:
            await _told(advance(database, provider, config, top_up_id), top_up_id)


async def sweep(
    database: Database,
    provider: Provider | None,
    config: Config,
    *,
    unheard_after: timedelta = UNHEARD_AFTER,
    look_again_after: timedelta = LOOK_AGAIN_AFTER,
) -> None:
    """Finish what was begun and not heard of since, and collect what is owed."""
    now = utcnow()
    bounds = {"now": now, "unheard": now - unheard_after, "again": now - look_again_after, "rows": AT_ONCE}
    if provider is not None:
        for top_up_id in await _ids(database, _ORDERS, bounds):
            await _told(advance(database, provider, config, top_up_id), top_up_id)
        for refund_id in await _ids(database, _REFUNDS, bounds):
            await _told(send_refund(database, provider, refund_id), refund_id)
        for payout_id in await _ids(database, _PAYOUTS, bounds):
            await _told(send_payout(database, provider, payout_id), payout_id)
    async with database.reading() as session:
        owing = await not_even(session, "owed")
    for organisation_id in owing:
        async with database.session() as session:
            await lock_account(session, organisation_id)
            await collect(session, organisation_id)


async def _ids(database: Database, statement: TextClause, bounds: dict[str, object]) -> list[UUID]:
    async with database.session() as session:
        return list((await session.execute(statement, bounds)).scalars().all())


async def _told(step: Awaitable[None], about: UUID) -> None:
    """One that the provider does not answer, or that goes wrong by itself, keeps no other waiting."""
    try:
        await step
    except ProviderUnavailable:
        logger.warning("the provider does not answer about %s", about)
    except (Unavailable, OperationalError, OSError):
        raise
    except Exception:
        logger.exception("payments cannot go on with %s", about)


@contextlib.contextmanager
def _waiting_out() -> Iterator[None]:
    try:
        yield
    except (Unavailable, DBAPIError, OSError) as away:
        logger.warning("payments wait: %s", type(away).__name__)
