"""Shows other processes that this one lives: a session's advisory lock, let go by PostgreSQL however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from marketplace.db.engine import Database

logger = logging.getLogger(__name__)

LOOK_S = 2.0
SPACE = 0x5D1
"""First key of these advisory locks; the second is the runner's number."""


class Runner:
    """`number` stands in every query that this process runs; without the lock the sweep takes it for dead."""

    def __init__(self, database: Database) -> None:
        self.number = secrets.randbelow(2**31 - 1) + 1
        self._database = database
        self._connection: AsyncConnection | None = None

    async def hold(self) -> None:
        """Take the lock, or take it again after PostgreSQL went away. Raises DBAPIError while it is away."""
        if self._connection is not None:
            try:
                await self._connection.execute(text("select 1"))
                await self._connection.commit()
                return
            except DBAPIError:
                await self.release()
        connection = await self._database.engine.connect()
        try:
            await connection.execute(
                text("select pg_advisory_lock(:space, :number)"), {"space": SPACE, "number": self.number}
            )
            await connection.commit()
        except DBAPIError:
            await connection.close()
            raise
        self._connection = connection

    async def release(self) -> None:
        """Let go; the connection goes too, so that no lock stays in the pool."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                await connection.invalidate()
                await connection.close()

    async def keep(self, stop: asyncio.Event) -> None:
        """Hold the lock, looking every few seconds whether PostgreSQL still knows of it, until `stop`."""
        while not stop.is_set():
            try:
                await self.hold()
            except (DBAPIError, OSError) as away:
                logger.warning("the runner's lock waits for the database: %s", type(away).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)
