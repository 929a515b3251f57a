"""Background work on the register: what ran out is written also where nobody asks."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from catalog.errors import VersionDamaged
from catalog.storage import Store
from marketplace.consents.expiry import expire_all
from marketplace.db.engine import Database
from marketplace.errors import Unavailable

logger = logging.getLogger(__name__)


async def run_register(database: Database, store: Store, interval_s: float, stop: asyncio.Event) -> None:
    """Now and every `interval_s` seconds until `stop`; waits out a database or a store that is away."""
    while not stop.is_set():
        try:
            await expire_all(database, store)
        except (Unavailable, DBAPIError, OSError, VersionDamaged) as away:
            logger.warning("the register's sweep waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
