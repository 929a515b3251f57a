"""Keeps the index of the catalogue: what is not in it yet, and how often words stand in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from sqlalchemy.exc import DBAPIError

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.listings.searched import index_unread
from marketplace.search.indexing import count_words

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""Datasets that are read in one transaction."""


async def run_catalogue(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Now and every `sweep_interval_s` until `stop`; waits out a database that is away."""
    counted_s = -float("inf")
    while not stop.is_set():
        try:
            read = await _read_all(database)
            if read or time.monotonic() - counted_s > config.word_count_interval_s:
                async with database.session() as session:
                    await count_words(session)
                counted_s = time.monotonic()
        except (Unavailable, DBAPIError) as away:
            logger.warning("the index of the catalogue waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)


async def _read_all(database: Database) -> int:
    read = 0
    while True:
        async with database.session() as session:
            some = await index_unread(session, most=AT_ONCE)
        read += some
        if some < AT_ONCE:
            return read
