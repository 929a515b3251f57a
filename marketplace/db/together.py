"""Statements that travel together: several in one round trip, where each alone would cost as much as its work.

A verb that only writes says what it writes as a `Statement`. A session carries one at a time (`perform`), a `Unit`
many at once; both give the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection, AsyncCursor
from psycopg.pq import ExecStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]


class Statement(Struct, frozen=True):
    """SQL with `:named` parameters, and their values."""

    sql: TextClause
    parameters: Mapping[str, Any] = {}


NOT_AS_REQUIRED = "SD001"
"""The SQLSTATE of `required` in the database."""


class NotAsRequired(Exception):
    """What a `required` statement found was another; nothing that travelled with it stands."""


def required(sql: TextClause, condition: str) -> TextClause:
    """The same, but all that travels with it is undone unless the condition, an aggregate over its rows, holds."""
    return text(f"with found as ({sql.text}) select required({condition}) from found")


async def perform(session: AsyncSession, statement: Statement) -> CursorResult[Any]:
    """The statement in a session's unit of work, by itself."""
    found: CursorResult[Any] = await session.execute(statement.sql, statement.parameters)  # type: ignore[assignment]
    return found


async def perform_all(session: AsyncSession, statements: Sequence[Statement]) -> list[list[Any]]:
    """Several in a session's unit of work, in one round trip; the rows of each, as `Unit.send` gives them."""
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, AsyncConnection)
    return await rows(driver, statements)


async def planned(session: AsyncSession, statement: Statement) -> list[Any]:
    """The rows of one read, planned for the tables as they are: a connection that prepared it while they were
    small keeps a plan that reads them whole, until their statistics are taken again."""
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, AsyncConnection)
    return await (await _send(driver, statement, prepare=False)).fetchall()


class Unit:
    """A transaction on one connection of the pool; made by `Database.unit`, which commits it."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def send(self, statements: Sequence[Statement]) -> list[list[Any]]:
        """Run all in this order, in one round trip; the rows of each, as named tuples. Raises psycopg.Error.

        After the first that fails the rest do nothing. None may depend on an answer to an earlier one: judge the
        answers afterwards, and `undo` if one of them forbids the others.
        """
        return await rows(self._connection, statements)

    async def undo(self) -> None:
        """Take back all that was sent so far."""
        await self._connection.rollback()


async def rows(connection: AsyncConnection[Any], statements: Sequence[Statement]) -> list[list[Any]]:
    """Those of each statement, as named tuples, in one round trip. Raises psycopg.Error."""
    if len(statements) == 1:
        sent = [await _send(connection, statements[0])]
    else:
        async with connection.pipeline():
            sent = [await _send(connection, each) for each in statements]
    return [await cursor.fetchall() if _gave_rows(cursor) else [] for cursor in sent]


def _gave_rows(cursor: AsyncCursor[Any]) -> bool:
    # Rows may have no columns ("select from"); `description` would not tell them from none.
    return cursor.pgresult is not None and cursor.pgresult.status == ExecStatus.TUPLES_OK


async def _send(
    connection: AsyncConnection[Any], statement: Statement, *, prepare: bool = True
) -> AsyncCursor[Any]:
    """Prepared at once or never: one that was counted first the driver takes for prepared even where the server
    passed it over, after another of the same pipeline failed; whoever sent it next was told that it is unknown."""
    cursor = connection.cursor(row_factory=namedtuple_row)
    return await cursor.execute(_driver_sql(statement.sql), statement.parameters, prepare=prepare)


@lru_cache(maxsize=256)
def _driver_sql(sql: TextClause) -> bytes:
    """The same SQL with the driver's kind of parameters."""
    return str(sql.compile(dialect=_DIALECT)).encode()
