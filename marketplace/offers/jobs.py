"""Charges what months cost without a query."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Problem, Unavailable
from marketplace.ledger.errors import AtOnce
from marketplace.offers.charging import charge_months

logger = logging.getLogger(__name__)


async def run_charges(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Now and every `charge_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await charge_months(database, at=utcnow())
        except (Unavailable, DBAPIError, AtOnce) as away:
            logger.warning("charges of months wait: %s", type(away).__name__)
        except Problem:
            logger.exception("charges of months wait")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.charge_interval_s)
