"""Once a day the books are reconciled, and what came of it is written to the log."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import text

from marketplace.audit.actions import record
from marketplace.calendar import day_of, day_start
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.ledger.outside import Hear, note_agreed
from marketplace.ledger.reconcile import Difference, reconcile

# The lock is given back with the transaction; a process that finds it taken has nothing to do today.
_MINE = text("""
select pg_try_advisory_xact_lock(hashtextextended('ledger nightly', 0))
    and exists (select from event where at < :since)
    and not exists (select from event where name = 'ledger:reconcile' and at > now() - interval '2 days'
        and body ->> 'day' = :day)
""")
"""A log that began today has no night behind it."""


async def reconcile_today(database: Database, hold_lifetime_s: int, hear: Hear) -> tuple[Difference, ...] | None:
    """The day's differences, once they are logged; None if the day has its verdict or another process is at it."""
    day = day_of(utcnow())
    async with database.session() as session:
        await session.execute(text("set local idle_in_transaction_session_timeout = 0"))
        if not await session.scalar(_MINE, {"day": day.isoformat(), "since": day_start(day)}):
            return None
        outside = await hear(database)
        async with database.snapshot() as snapshot:
            differences = await reconcile(snapshot, hold_lifetime_s, outside)
        prefix = "outside:"
        apart = (each.check.removeprefix(prefix) for each in differences if each.check.startswith(prefix))
        await note_agreed(session, outside, apart)
        checks = Counter(each.check for each in differences)
        body = {"day": day.isoformat(), "differences": len(differences), "checks": dict(checks)}
        await record(session, "ledger:reconcile", body=body)
    return differences
