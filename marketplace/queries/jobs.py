"""What a dead process left: queries that still hold money are voided, expired answers erased."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Unavailable
from marketplace.queries.held import read_held
from marketplace.queries.runner import SPACE
from marketplace.queries.settle import void

logger = logging.getLogger(__name__)

LEFT = text("""
select q.id, q.runner from query q where q.state in ('queued', 'running') and not exists (
  select from pg_locks l where l.locktype = 'advisory' and l.classid = :space and l.objid = q.runner and l.granted
    and l.database = (select oid from pg_database where datname = current_database()))
order by q.id limit 1000
""")


async def sweep(database: Database, keys: Keys) -> int:
    """Void every query whose process is dead; erase answers past their time. How many queries were voided."""
    async with database.session() as session:
        left = (await session.execute(LEFT, {"space": SPACE})).all()
        await session.execute(text("delete from query_result where expires_at <= now()"))
    for query_id, runner in left:
        logger.warning("query %s was left by dead process %s: voided", query_id, runner)
        if (held := await read_held(database, query_id)) is not None:
            await void(database, keys, held, code="query.interrupted")
    return len(left)


async def run_sweeps(database: Database, keys: Keys, interval_s: float, stop: asyncio.Event) -> None:
    """Sweep now and every `interval_s` seconds until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await sweep(database, keys)
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("the sweep waits for the database: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
