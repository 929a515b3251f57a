"""Background work for the regulator: rules look at what is new, months that ended are archived."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Unavailable
from marketplace.oversight.alerts import look
from marketplace.oversight.archive import ARCHIVE, archive_due, forget_erased
from marketplace.oversight.archive_files import ArchiveBroken

logger = logging.getLogger(__name__)


async def run_oversight(database: Database, keys: Keys, config: Config, stop: asyncio.Event) -> None:
    """Look now and every `sweep_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await look(database, at=utcnow(), audit_late_h=config.audit_late_h, salt_key=keys.salt_key())
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("rules wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)


async def run_archive(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Archive what is due every `sweep_interval_s` until `stop`; what was erased leaves the archive once a day."""
    folder, forgotten = config.path(ARCHIVE), None
    while not stop.is_set():
        try:
            now = utcnow()
            if forgotten != now.date():
                forgotten = now.date()
                await forget_erased(database, folder)
            await archive_due(database, folder, at=now)
        except ArchiveBroken as broken:
            logger.error("months of the archive are broken: %s", broken)
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("the archive waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)
