"""All who tell what they moved for us, in one place: `sandulieu ledger reconcile` and the daily job ask these.

It lies here because payments are the uppermost of the features that have an other side.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import after_banking_days
from marketplace.config import Config
from marketplace.db.base import EPOCH, utcnow
from marketplace.db.engine import Database
from marketplace.ledger.outside import Heard, Silent
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.moved import reading_since
from marketplace.payments.opening import open_payments
from marketplace.payments.outside import SIDES, payouts_outside, stripe_outside
from marketplace.payouts.settling import bank_outside, unanswered


async def hear_outside(config: Config, database: Database, *, whole: bool = False) -> Heard:
    """What everybody says that was moved until now: Stripe where a key is set, the bank of payouts, and of which
    payouts nobody says anything though it is time.

    Stripe is read from where it was last found to agree, some days earlier; `whole`: from the beginning."""
    until = utcnow()
    async with database.reading() as session:
        # No transaction is open between two reads: the other side may be listing for minutes.
        stripe = await _stripe(config, session, until, whole=whole)
        bank = await bank_outside(session, since=EPOCH, until=until)
        due = after_banking_days(config.payout_answer_days, at=until, closed=config.bank_holidays)
        return (*stripe, bank, await unanswered(session, before=due, until=until))


async def _stripe(config: Config, session: AsyncSession, until: datetime, *, whole: bool) -> Heard:
    async with open_payments(config) as payments:
        if payments.provider is None:
            return ()
        paid_in = EPOCH if whole else await reading_since(session, *SIDES.values(), until=until)
        paid_out = EPOCH if whole else await reading_since(session, "stripe payouts", until=until)
        try:
            return (
                *await stripe_outside(session, payments.provider, since=paid_in, until=until),
                await payouts_outside(session, payments.provider, since=paid_out, until=until),
            )
        except ProviderUnavailable:
            return (Silent("stripe"),)
