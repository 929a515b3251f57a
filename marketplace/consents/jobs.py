"""Background work on the register: what ran out is written where nobody asks, parts are rewritten ahead."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from catalog.storage import Store
from marketplace.config import Config
from marketplace.consents.expiry import expire_all
from marketplace.consents.revisions import Rewriter
from marketplace.db.engine import Database
from marketplace.errors import Unavailable

logger = logging.getLogger(__name__)


async def run_register(database: Database, store: Store, config: Config, stop: asyncio.Event) -> None:
    """Now and every `sweep_interval_s` until `stop`; waits out a database or a store that is away."""
    rewriter = Rewriter(database, store, worn_permille=config.version_worn_permille)
    while not stop.is_set():
        try:
            await expire_all(database, store)
            await rewriter.run()
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("the register's sweep waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)
