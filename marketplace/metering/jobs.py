"""Each night: does what startups see, what owners see and what the ledger has agree?"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.calendar import day_of, day_start
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.metering.agreeing import agree

logger = logging.getLogger(__name__)

DAYS_BACK = 7
"""Days that a service that was down makes up for."""
SETTLED_AFTER = timedelta(hours=1)
"""A day's last queries have ended so long after it."""


async def agree_on_days(database: Database, *, at: datetime, done: set[date]) -> int:
    """Every day that is over and has no verdict yet; `done` has those of which this process knows. How many.

    Days before the log began have none: there was nothing to compare."""
    last = day_of(at - SETTLED_AFTER) - timedelta(days=1)
    made = 0
    began = await _began(database)
    for day in (last - timedelta(days=back) for back in reversed(range(DAYS_BACK))):
        if day in done or began is None or day < began:
            continue
        async with database.session() as session:
            verdict = await agree(session, day)
        done.add(day)
        if verdict is not None:
            made += 1
            if apart := verdict.differences:
                logger.error("usage of %s: %s differences, first %s", day, len(apart), apart[0])
    done.difference_update({day for day in done if day_start(day) < at - timedelta(days=2 * DAYS_BACK)})
    return made


async def _began(database: Database) -> date | None:
    """The day of the log's first event."""
    (row,) = await database.all(text("select min(at) as at from event"), {})
    return None if row.at is None else day_of(row.at)


async def run_agreeing(database: Database, interval_s: float, stop: asyncio.Event) -> None:
    """Now and every `interval_s` seconds until `stop`; waits out a database that is away."""
    done: set[date] = set()
    while not stop.is_set():
        try:
            await agree_on_days(database, at=utcnow(), done=done)
        except (Unavailable, DBAPIError) as away:
            logger.warning("the nightly comparison of usage waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
