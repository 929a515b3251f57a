"""Background work for the regulator: rules look at what is new."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.oversight.alerts import look

logger = logging.getLogger(__name__)


async def run_oversight(database: Database, interval_s: float, stop: asyncio.Event) -> None:
    """Now and every `interval_s` seconds until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await look(database, at=utcnow())
        except (Unavailable, DBAPIError) as away:
            logger.warning("the regulator's rules wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
