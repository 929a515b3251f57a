"""Statements that travel together: several in one round trip, where each alone would cost as much as its work.

A verb that only writes says what it writes as a `Statement`. A session carries one at a time (`perform`), a `Unit`
many at once; both give the same rows.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection
from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.pipeline import Pipeline, idle


class Statement(Struct, frozen=True):
    """SQL with `:named` parameters, and their values. `tagged`: what `:tag` vouches for, where the SQL has one:
    HMAC-SHA-256 (32 bytes) under the key of the `Database` that it is sent to."""

    sql: TextClause
    parameters: Mapping[str, Any] = {}
    tagged: bytes | None = None


TAG_KEY = "tag_key"
"""Where a session of a `Database` has its key."""


NOT_AS_REQUIRED = "SD001"
"""The SQLSTATE of `required` in the database."""


class NotAsRequired(Exception):
    """What a `required` statement found was another; nothing that travelled with it stands."""


def required(sql: TextClause, condition: str) -> TextClause:
    """The same, but all that travels with it is undone unless the condition, an aggregate over its rows, holds."""
    return text(f"with found as ({sql.text}) select required({condition}) from found")


async def perform(session: AsyncSession, statement: Statement) -> CursorResult[Any]:
    """The statement in a session's unit of work, by itself."""
    values = _values(statement, session.info.get(TAG_KEY, b""))
    found: CursorResult[Any] = await session.execute(statement.sql, values)  # type: ignore[assignment]
    return found


async def perform_all(session: AsyncSession, statements: Sequence[Statement]) -> list[list[Any]]:
    """Several in a session's unit of work, in one round trip; the rows of each, as `Unit.send` gives them.

    Planned each time: the driver makes the server forget all that is prepared when a session is rolled back.
    """
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, AsyncConnection)
    begin, tag_key = not driver.autocommit and idle(driver), session.info.get(TAG_KEY, b"")
    return await rows(driver, statements, tag_key=tag_key, begin=begin, prepare=False)


async def planned(session: AsyncSession, statement: Statement) -> list[Any]:
    """The rows of one read, planned for the tables as they are: a connection that prepared it while they were
    small keeps a plan that reads them whole, until their statistics are taken again."""
    return (await perform_all(session, [statement]))[0]


class Unit:
    """A transaction on a connection that has none open; made by `Database.unit`, which commits it."""

    def __init__(self, connection: AsyncConnection[Any], tag_key: bytes) -> None:
        self._connection, self._tag_key = connection, tag_key

    async def send(self, statements: Sequence[Statement]) -> list[list[Any]]:
        """Run all in this order, in one round trip; the rows of each, as named tuples. Raises psycopg.Error.

        After the first that fails the rest do nothing. None may depend on an answer to an earlier one: judge the
        answers afterwards, and `undo` if one of them forbids the others.
        """
        return await rows(self._connection, statements, tag_key=self._tag_key, begin=idle(self._connection))

    async def undo(self) -> None:
        """Take back all that was sent so far."""
        await self._connection.rollback()

    async def commit(self) -> None:
        """What was sent stands, if anything was."""
        if not idle(self._connection):
            await rows(self._connection, [_COMMIT])


_COMMIT = Statement(text("commit"))


async def rows(
    connection: AsyncConnection[Any],
    statements: Sequence[Statement],
    *,
    tag_key: bytes = b"",
    begin: bool = False,
    prepare: bool = True,
) -> list[list[Any]]:
    """Those of each statement, as named tuples, in one round trip. Raises psycopg.Error."""
    async with connection.lock:
        pipeline = Pipeline(connection)
        if begin:
            pipeline.begin()
        for each in statements:
            pipeline.add(each.sql, _values(each, tag_key), prepare=prepare)
        return await pipeline.run()


def _values(statement: Statement, tag_key: bytes) -> Mapping[str, Any]:
    if statement.tagged is None:
        return statement.parameters
    return {**statement.parameters, "tag": hmac.digest(tag_key, statement.tagged, "sha256")}
