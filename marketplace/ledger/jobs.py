"""Background work on the books: expired holds are given back, transfers folded, once a day all is compared."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.ledger.expiry import expire_holds
from marketplace.ledger.folding import fold
from marketplace.ledger.nightly import reconcile_today
from marketplace.ledger.outside import Hear

logger = logging.getLogger(__name__)


async def run_books(database: Database, config: Config, hear: Hear, stop: asyncio.Event) -> None:
    """Now and every `sweep_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await expire_holds(database)
            await fold(database)
            for each in await reconcile_today(database, config.hold_lifetime_s, hear) or ():
                logger.error("the books differ: %s", each)
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("the books wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)
