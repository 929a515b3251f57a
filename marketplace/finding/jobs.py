"""Tells those who watch, both sides of agreements, and the operator."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.finding.agreed import tell_agreements
from marketplace.finding.telling import tell_changes, tell_matches, tell_stuck_months

logger = logging.getLogger(__name__)


async def run_notices(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Now and every `sweep_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await tell_stuck_months(database, at=utcnow())
            await tell_agreements(database, at=utcnow())
            await tell_changes(database, at=utcnow())
            while not stop.is_set() and await tell_matches(database, at=utcnow()):
                pass
        except (Unavailable, DBAPIError) as away:
            logger.warning("notices of changes wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)
