"""The database of this home, for the commands that ask it themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.db.engine import Database, open_database

T = TypeVar("T")


@asynccontextmanager
async def home_database(config: Config, *, connections: int = 1) -> AsyncIterator[Database]:
    """Open until the block ends. Raises server.StartFailed."""
    database = open_database(config, connections=connections)
    try:
        yield database
    finally:
        await database.close()


def in_home_database(config: Config, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """What one unit of work gives. Blocking."""

    async def run() -> T:
        async with home_database(config) as database, database.session() as session:
            return await work(session)

    return asyncio.run(run())
