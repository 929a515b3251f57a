"""All who tell what they moved for us, in one place: `sandulieu ledger reconcile` and the daily job ask these.

It lies here because payments are the uppermost of the features that have an other side.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.db.base import EPOCH, utcnow
from marketplace.db.engine import Database
from marketplace.ledger.outside import Heard, Silent
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.opening import open_payments
from marketplace.payments.outside import payouts_outside, stripe_outside
from marketplace.payouts.settling import bank_outside


async def hear_outside(config: Config, database: Database) -> Heard:
    """What everybody says that was moved until now: Stripe where a key is set, and the bank of payouts."""
    until = utcnow()
    async with database.reading() as session:
        # Between two reads the other side may be listing for minutes.
        await session.execute(text("set local idle_in_transaction_session_timeout = 0"))
        stripe = await _stripe(config, session, until)
        return (*stripe, await bank_outside(session, since=EPOCH, until=until))


async def _stripe(config: Config, session: AsyncSession, until: datetime) -> Heard:
    async with open_payments(config) as payments:
        if payments.provider is None:
            return ()
        try:
            paid_in = await stripe_outside(session, payments.provider, since=EPOCH, until=until)
            return (*paid_in, await payouts_outside(payments.provider, since=EPOCH, until=until))
        except ProviderUnavailable:
            return (Silent("stripe"),)
