"""Closes months by itself: nobody has to remember it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.closing.walk import close_months
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.ledger.outside import Hear

logger = logging.getLogger(__name__)


async def run_closing(database: Database, config: Config, hear: Hear, stop: asyncio.Event) -> None:
    """Now and every `charge_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await close_months(database, config, hear, at=utcnow())
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("the close of months waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.charge_interval_s)
