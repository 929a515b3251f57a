"""Background work for the regulator: rules look at what is new, months that ended are archived."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from marketplace.accounts.allowance import Allowance
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Unavailable
from marketplace.oversight.alerts import look, raise_free_spent
from marketplace.oversight.archive import ARCHIVE, archive_due, forget_erased
from marketplace.oversight.archive_files import ArchiveBroken

logger = logging.getLogger(__name__)

MOST_TOLD = 5
"""Addresses a line."""


async def run_oversight(database: Database, keys: Keys, config: Config, stop: asyncio.Event) -> None:
    """Look now and every `sweep_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await look(database, at=utcnow(), audit_late_h=config.audit_late_h, salt_key=keys.salt_key())
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("rules wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)


async def run_refusals(database: Database, allowance: Allowance, every_s: float, stop: asyncio.Event) -> None:
    """Tell every `every_s` until `stop` who asked for more than may be had for free: an alert for a tenant, a line
    of the service's own log for addresses."""
    while not stop.is_set():
        refused = allowance.told()
        tenants = {payer: count for payer, count in refused.items() if isinstance(payer, UUID)}
        try:
            if tenants:
                await raise_free_spent(database, tenants, at=utcnow())
        except (Unavailable, DBAPIError) as away:
            allowance.refused.update(tenants)
            logger.warning("who had too much for free is told later: %s", type(away).__name__)
        addresses = Counter({payer: count for payer, count in refused.items() if isinstance(payer, str)})
        if addresses:
            most = ", ".join(f"{payer} ({count})" for payer, count in addresses.most_common(MOST_TOLD))
            logger.warning("refused more than may be had for free, %d addresses: %s", len(addresses), most)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


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
