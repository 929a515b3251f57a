"""A home of its own for a figure: an embedded PostgreSQL with fsync on and all tables, gone afterwards."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from marketplace.config import Config
from marketplace.db import embedded, migrate
from marketplace.db.engine import Database, open_database


@asynccontextmanager
async def fresh_home(*, connections: int, folder: str | None = None) -> AsyncIterator[tuple[Config, Database]]:
    """Below `folder` (else where temporary files go): a socket's path may not be long."""
    with tempfile.TemporaryDirectory(prefix="sdl-", dir=folder) as home:
        config = Config(home=Path(home))
        await asyncio.to_thread(migrate.upgrade, config)
        database = open_database(config, connections=connections)
        try:
            yield config, database
        finally:
            await database.close()
            embedded.stop(config.home)
