"""Keeps the index of the catalogue: what is not in it yet, and how often words stand in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid

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
    """Now and every `word_count_interval_s` until `stop`; waits out a database that is away.

    Seldom, because who lists a dataset puts it in the index: only other synonyms, or a fault, leave any out.
    """
    while not stop.is_set():
        wait_s = config.word_count_interval_s
        try:
            await read_all(database, stop)
            async with database.session() as session:
                await count_words(session)
        except (Unavailable, DBAPIError) as away:
            logger.warning("the index of the catalogue waits: %s", type(away).__name__)
            wait_s = config.sweep_interval_s
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait_s)


async def read_all(database: Database, stop: asyncio.Event) -> None:
    """Once through all datasets that are not in the index, each looked at once."""
    after = uuid.UUID(int=0)
    while not stop.is_set():
        async with database.session() as session:
            some = await index_unread(session, after=after, most=AT_ONCE)
        if len(some) < AT_ONCE:
            return
        after = some[-1]
