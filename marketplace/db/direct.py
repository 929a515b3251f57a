"""Connections without SQLAlchemy around them: a session costs more than the few statements that a query asks."""

from __future__ import annotations

import asyncio
import contextlib
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_dumps, set_json_loads
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import TimeoutError as PoolTimeout

from marketplace.db.pipeline import idle

_DIALECT = dialect()  # type: ignore[no-untyped-call]
_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


class Direct:
    """At most so many connections to `url`, opened when they are needed and kept; in autocommit."""

    def __init__(self, url: URL, *, connections: int, connect_timeout_s: int) -> None:
        how: dict[str, Any] = _DIALECT.create_connect_args(url)[1]  # type: ignore[no-untyped-call]
        self._how = how | {"connect_timeout": connect_timeout_s}
        self._room = asyncio.Semaphore(connections)
        self._idle: list[AsyncConnection[Any]] = []
        self._closed = False

    @asynccontextmanager
    async def connection(self, timeout_s: float) -> AsyncIterator[AsyncConnection[Any]]:
        """One to oneself; a transaction that is open when it is given back is rolled back.

        Raises sqlalchemy.exc.TimeoutError if none becomes free in time, psycopg.OperationalError.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._room.acquire()
        except TimeoutError:
            raise PoolTimeout from None
        try:
            driver = await self._living() or await self._connect()
            try:
                yield driver
            finally:
                await self._give_back(driver)
        finally:
            self._room.release()

    async def close(self) -> None:
        """Close what is idle now, and the others when they are given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _living(self) -> AsyncConnection[Any] | None:
        # The one used last is the one that has most prepared.
        while self._idle:
            driver = self._idle.pop()
            if not is_dead(driver):
                return driver
            await driver.close()
        return None

    async def _connect(self) -> AsyncConnection[Any]:
        driver = await AsyncConnection.connect(**self._how, autocommit=True)
        set_json_dumps(write_json, driver)
        set_json_loads(msgspec.json.decode, driver)
        return driver

    async def _give_back(self, driver: AsyncConnection[Any]) -> None:
        if driver.pgconn.transaction_status in _OPEN:
            with contextlib.suppress(psycopg.Error):
                await driver.rollback()
        # Cancelled or lost in the middle: not fit for the next.
        if self._closed or not idle(driver):
            await driver.close()
        else:
            self._idle.append(driver)


def is_dead(driver: AsyncConnection[Any]) -> bool:
    """Whether the server closed it: an idle connection then has something to read. No ping, no round trip."""
    try:
        handle = driver.fileno()
    except psycopg.OperationalError:
        return True
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))


def write_json(value: Any) -> str:
    """How a value becomes json of the database."""
    return msgspec.json.encode(value).decode()
