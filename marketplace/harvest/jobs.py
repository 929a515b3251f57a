"""Background work: sources that are due are looked at, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.harvest.running import run_next
from marketplace.harvest.searching import read_anew

ANEW = 200
"""Listings that are read anew in one transaction."""
logger = logging.getLogger(__name__)


async def run_harvests(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Now and every `sweep_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            while not stop.is_set() and await read_some_anew(database):
                pass
            while not stop.is_set() and await _stoppable(database, config, stop):
                pass
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("harvesting waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)


async def read_some_anew(database: Database) -> int:
    """Listings that were read by other synonyms, some of them; how many."""
    async with database.session() as session:
        return await read_anew(session, most=ANEW)


async def _stoppable(database: Database, config: Config, stop: asyncio.Event) -> bool:
    """Whether something was due. A run waits long for others: one that is under way is dropped at `stop`."""
    run, stopped = asyncio.create_task(run_next(database, config)), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({run, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return run.done() and await run is not None
    finally:
        for task in (run, stopped):
            task.cancel()
        await asyncio.gather(run, stopped, return_exceptions=True)
