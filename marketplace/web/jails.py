"""The jails of a service: processes of their own, which start while the rest of it is still being imported."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from msgspec import Struct

from marketplace.config import Config
from sandbox.isolation.pool import Pool


class Jails(Struct, frozen=True):
    """No query may enter before `opened` is done; it raises what `Pool.start` raises."""

    pool: Pool
    opened: asyncio.Task[None]


@contextlib.asynccontextmanager
async def opening(config: Config) -> AsyncIterator[Jails]:
    """To be entered in the main thread: the jails end with the thread that starts them."""
    pool = Pool(
        jails=config.sandbox_jails,
        threads=config.sandbox_threads,
        memory_bytes=config.sandbox_memory_bytes,
        # Those who wait stand in the line, which knows whose turn it is; here only for a jail made ready.
        queue=config.sandbox_jails,
    )
    opened = asyncio.create_task(pool.start())
    try:
        yield Jails(pool, opened)
    finally:
        opened.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await opened
        await pool.close()
