"""Background work on the books: expired holds are given back, transfers folded, once a day all is compared."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial

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
    """Now and every `sweep_interval_s` until `stop`; what fails keeps nothing else from its turn."""

    async def compare() -> None:
        for each in await reconcile_today(database, config.hold_lifetime_s, hear) or ():
            logger.error("the books differ: %s", each)

    while not stop.is_set():
        for work in (partial(expire_holds, database), partial(fold, database), compare):
            try:
                await work()
            except (Unavailable, DBAPIError, OSError) as away:
                logger.warning("the books wait: %s", type(away).__name__)
            except Exception:
                logger.exception("the books wait")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)
