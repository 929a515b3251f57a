"""Background work for the regulator: rules look at what is new, months that ended are archived."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.oversight.alerts import look
from marketplace.oversight.archive import ARCHIVE, archive_due

logger = logging.getLogger(__name__)


async def run_oversight(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Now and every `sweep_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await look(database, at=utcnow())
            await archive_due(database, config.path(ARCHIVE), at=utcnow())
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("rules and archive wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)
