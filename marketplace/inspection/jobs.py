"""The nightly audit: once a night, whichever process comes first."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.audit.verdict import last_looked
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Unavailable
from marketplace.inspection.look import look, tell

PAUSE_S = 300
logger = logging.getLogger(__name__)
TURN = text("SELECT pg_try_advisory_xact_lock(hashtextextended('nightly audit', 0))")
_BEHIND = text("SELECT EXISTS (SELECT FROM event WHERE at < :since)")
"""A log that began since then has no night behind it."""


async def run_audits(database: Database, keys: Keys, config: Config, stop: asyncio.Event) -> None:
    """Every night after `audit_hour_utc` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await audit_if_due(database, keys, config, utcnow())
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("the nightly audit waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PAUSE_S)


async def audit_if_due(database: Database, keys: Keys, config: Config, now: datetime) -> bool:
    """Audit unless that was done since the night's hour, or is being done by another process. Whether it was."""
    async with database.session() as session:
        await session.execute(text("set local idle_in_transaction_session_timeout = 0"))
        if not await session.scalar(TURN):
            return False
        since = last_due(now, config.audit_hour_utc)
        if not await session.scalar(_BEHIND, {"since": since}):
            return False
        if await last_looked(session, keys.salt_key(), since=since, until=now) is not None:
            return False
        verdict = await look(database, keys, config)
        # Before anything is written: whoever broke the log may also keep the verdict out of it.
        for line in verdict.lines():
            logger.critical("the nightly audit found %s", line)
        await tell(database, keys, verdict, at=now)
    return True


def last_due(now: datetime, hour: int) -> datetime:
    """The last instant at which the clock struck `hour`."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)
