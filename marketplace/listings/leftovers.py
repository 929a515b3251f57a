"""Versions that were put in the store and not released: overtaken, denied or given up at the last moment.

No row names them, so nobody can ask them, no withdrawal reaches them, and private/ holds persons.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from catalog.releasing import remove_version
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.listings.press import Press

_WITHOUT_ROW = text("""
select f.id from unnest(cast(:ids as text[])) as f (id)
where not exists (select from dataset_version v where v.id = f.id)
""")


@asynccontextmanager
async def removed_unless_released(press: Press, version_id: str) -> AsyncIterator[None]:
    """Around the transaction that releases what was put in the store; the caller holds the dataset's lock.

    A database that went away may yet have committed it: that is left to `sweep_versions`.
    """
    try:
        yield
    except (Unavailable, DBAPIError):
        raise
    except Exception:
        for each in await without_row(press.database, [version_id]):
            await asyncio.to_thread(remove_version, press.store, each)
        raise


async def without_row(database: Database, version_ids: Sequence[str]) -> list[str]:
    """Those that were never released."""
    async with database.reading() as session:
        return list(await session.scalars(_WITHOUT_ROW, {"ids": list(version_ids)}))
