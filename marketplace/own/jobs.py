"""What a kill left on the disk: files half received, in the clear, and own tables without a row; and own tables
whose organisation will not come back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.claimed import abandoned
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.own.actions import remove_abandoned
from marketplace.own.vault import FOLDER, SUFFIX

logger = logging.getLogger(__name__)

WITHOUT_ROW = text("""
select f.id from unnest(cast(:ids as uuid[])) as f(id) where not exists (select from own_table t where t.id = f.id)
""")
WRITERS_DONE = text("lock table own_table in share mode")
"""A process that lost the answer to its COMMIT let go of the file, and its row may be about to be there."""


async def sweep_files(database: Database, config: Config) -> int:
    """Remove what was received by dead processes, drafts of own tables, and those without a row. How many.

    The folders are read before the database: whoever works on a table holds its file until the row is there.
    """
    received = await asyncio.to_thread(abandoned, config.path("uploads"))
    free = await asyncio.to_thread(abandoned, config.path(*FOLDER))
    gone = [*received, *(path for path in free if path.suffix != SUFFIX), *await _without_row(database, free)]
    for path in gone:
        logger.warning("%s was left by a dead process: removed", path)
        await asyncio.to_thread(_remove, path)
    return len(gone)


async def sweep_abandoned(database: Database, config: Config) -> int:
    """Remove the tables of organisations suspended for good; how many. Their files have no row then."""
    async with database.session() as session:
        return await remove_abandoned(session, at=utcnow(), config=config)


async def run_file_sweeps(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Sweep now and every `sweep_interval_s` until `stop`; waits out a database or a disk that is away."""
    while not stop.is_set():
        try:
            await sweep_abandoned(database, config)
            await sweep_files(database, config)
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("the sweep of files waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)


async def _without_row(database: Database, free: tuple[Path, ...]) -> list[Path]:
    tables: dict[UUID, Path] = {}
    for path in free:
        with contextlib.suppress(ValueError):
            if path.suffix == SUFFIX:
                tables[UUID(path.stem)] = path
    if not tables:
        return []
    async with database.reading() as session:
        without = (await session.execute(WITHOUT_ROW, {"ids": list(tables)})).scalars().all()
    if without:
        async with database.session() as session:
            await session.execute(WRITERS_DONE)
            without = (await session.execute(WITHOUT_ROW, {"ids": list(without)})).scalars().all()
    return [tables[each] for each in without]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
