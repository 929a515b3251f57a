"""The way into PostgreSQL: a pool of connections, and units of work on them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any

import msgspec
import psycopg
from sqlalchemy import TextClause, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.direct import Direct, is_dead, write_json
from marketplace.db.keys import Keys
from marketplace.db.refused import Refused
from marketplace.db.roles import OWNER, SERVICE
from marketplace.db.together import NOT_AS_REQUIRED, TAG_KEY, NotAsRequired, Statement, Unit, perform, rows
from marketplace.errors import Invalid, Unavailable

POOL_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 5
OPTIONS = "-c statement_timeout=60000 -c lock_timeout=15000 -c idle_in_transaction_session_timeout=120000"
GONE = ("08", "57P", "53")
"""SQLSTATE classes: connection lost, server going down or starting, out of connections or space."""
BUSY = ("40001", "40P01", "55P03", "57014")
"""Serialisation, deadlock, lock not available in time, cancelled by timeout."""

_OF_THE_DATABASE = (DBAPIError, PoolTimeout, psycopg.Error)
"""The driver's own too: COPY goes past SQLAlchemy."""

log = logging.getLogger(__name__)


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be reached; nothing was changed."""

    code = "database.unavailable"


class DatabaseBusy(Unavailable):
    """PostgreSQL gave up on this transaction (deadlock, lock or statement timeout); it may be tried again."""

    code = "database.busy"


class Database:
    """Connections to `url` (postgresql://…), as the service's role: at most `connections` for sessions, and as
    many for statements that travel together. `tag_key`: of `Keys.event_tag`; without it what is recorded gets no
    leaf."""

    def __init__(self, url: str, *, connections: int, tag_key: bytes = b"") -> None:
        self._tag_key = tag_key
        self._direct = Direct(_as_service(url), connections=connections, connect_timeout_s=CONNECT_TIMEOUT_S)
        self.engine = create_async_engine(
            _as_service(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_use_lifo=True,
            connect_args={"prepare_threshold": 2, "connect_timeout": CONNECT_TIMEOUT_S},
            json_serializer=write_json,
            json_deserializer=msgspec.json.decode,
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, info={TAG_KEY: tag_key})
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._snapshot = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def session(self) -> _Work:
        """One unit of work: committed at the end, rolled back on any exception; `Refused` leaves its writes.

        Raises DatabaseUnavailable.
        """
        return _Work(self._sessions())

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads, each statement by itself: no round trips for a transaction."""
        try:
            async with AsyncSession(self._reading, expire_on_commit=False) as session:
                yield session
        except (DBAPIError, PoolTimeout) as e:
            raise _told(e) from e

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session that reads one instant, however many statements and however long: what others commit meanwhile
        is not seen. It can write nothing."""
        try:
            async with AsyncSession(self._snapshot, expire_on_commit=False) as session, session.begin():
                await session.execute(text("set local statement_timeout = 0"))
                await session.execute(text("set local idle_in_transaction_session_timeout = 0"))
                yield session
        except (DBAPIError, PoolTimeout) as e:
            raise _told(e) from e

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """A unit of work whose statements travel together; committed at the end, rolled back on any exception.

        Raises DatabaseUnavailable.
        """
        async with self._driver() as driver:
            unit = Unit(driver, self._tag_key)
            yield unit
            await unit.commit()

    async def at_once(self, statements: Sequence[Statement]) -> list[list[Any]]:
        """A unit of work in one round trip: the database commits it if none fails; the rows of each.

        Raises NotAsRequired, DatabaseUnavailable: then it may stand all the same.
        """
        try:
            # Without a transaction of its own what a pipeline sends up to its end is one.
            return await self.each(statements)
        except psycopg.Error as e:
            if e.sqlstate == NOT_AS_REQUIRED:
                raise NotAsRequired from None
            raise

    async def one(self, sql: TextClause, parameters: Mapping[str, Any]) -> Any | None:
        """The first row of one read, as `all` gives it. Raises DatabaseUnavailable."""
        return next(iter(await self.all(sql, parameters)), None)

    async def all(self, sql: TextClause, parameters: Mapping[str, Any]) -> list[Any]:
        """The rows of one read as named tuples, in one round trip and no transaction.

        Raises DatabaseUnavailable.
        """
        return (await self.each([Statement(sql, parameters)]))[0]

    async def each(self, statements: Sequence[Statement]) -> list[list[Any]]:
        """The rows of several reads, as `all` gives those of one; each sees what is committed when it runs."""
        async with self._driver() as driver:
            return await rows(driver, statements, tag_key=self._tag_key)

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection without SQLAlchemy around it, which costs more than what a query asks."""
        try:
            async with self._direct.connection(POOL_TIMEOUT_S) as driver:
                yield driver
        except (PoolTimeout, psycopg.Error) as e:
            raise _told(e) from e

    async def close(self) -> None:
        """Close all connections."""
        await self._direct.close()
        await self.engine.dispose()


def open_database(config: Config, *, connections: int) -> Database:
    """The home's, with the key that tags what this process records. Raises server.StartFailed."""
    tag_key = Keys(config.path("keys")).event_tag()
    return Database(database_url(config), connections=connections, tag_key=tag_key)


def database_url(config: Config) -> str:
    """URL for the service; starts the embedded server if no other is configured. Raises server.StartFailed."""
    return config.database_url or embedded.start(config.home)


def migration_url(config: Config) -> str:
    """URL of the role that owns the tables; starts the embedded server if no other is configured."""
    given = config.migrate_url or config.database_url
    if given:
        return given
    embedded.start(config.home)
    return embedded.url(config.home, OWNER)


def sqlalchemy_url(url: str) -> URL:
    """The URL with the driver that we use."""
    return make_url(url).set(drivername="postgresql+psycopg")


def _as_service(url: str) -> URL:
    """Whoever signs in works as the service's role, which can change no insert-only table."""
    parsed = sqlalchemy_url(url)
    role = "" if parsed.username == SERVICE else f" -c role={SERVICE}"
    return parsed.update_query_dict({"options": OPTIONS + role, "application_name": "sandulieu"})


def _refuse_dead(connection: Any, _record: object, _proxy: object) -> None:
    """An idle connection with something to read was closed by the server: no ping, no round trip needed."""
    if is_dead(connection.driver_connection):
        raise InvalidatePoolError


class _Work(AbstractAsyncContextManager[AsyncSession]):
    """A class and no generator: the web framework drops `provide_session` where another dependency of the same
    request refuses, and of two generators, one within the other, that are dropped neither can be closed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._transaction = session.begin()

    async def __aenter__(self) -> AsyncSession:
        await self._transaction.__aenter__()
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            async with self._session:
                await self._transaction.__aexit__(kind, error, trace)
                if isinstance(error, Refused):
                    async with self._session.begin():
                        for statement in error.writes:
                            await perform(self._session, statement)
        except _OF_THE_DATABASE as e:
            raise _told(e) from e
        if isinstance(error, _OF_THE_DATABASE):
            raise _told(error) from error


def _told(error: DBAPIError | PoolTimeout | psycopg.Error) -> Exception:
    """The Problem for an error that is the database's state; any other error as it is."""
    if isinstance(error, PoolTimeout):
        return DatabaseBusy(headers={"Retry-After": str(POOL_TIMEOUT_S)})
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or (state is None and isinstance(cause, psycopg.OperationalError)):
        return DatabaseUnavailable()
    if state and state.startswith(GONE):
        return DatabaseUnavailable()
    if state in BUSY:
        return DatabaseBusy()
    if isinstance(cause, psycopg.DataError):
        # What was sent has the right type and still no form in PostgreSQL: NUL in a text, a number beyond bigint.
        log.warning("a value that PostgreSQL cannot hold: %s", cause)
        return Invalid(errors=[{"path": "", "code": "request.unstorable", "params": {}}])
    return error


@asynccontextmanager
async def passing_over(session: AsyncSession, otherwise: str) -> AsyncIterator[None]:
    """A savepoint around one of many: what is wrong with it is logged as `otherwise` and undone, the others go on.

    Raises what means that there is no database any more.
    """
    try:
        async with session.begin_nested():
            yield
    except Exception as e:
        gone = isinstance(e, _OF_THE_DATABASE) and isinstance(_told(e), DatabaseUnavailable)
        if gone or not session.is_active:
            raise
        log.exception("%s", otherwise)


async def provide_session(database: Database) -> AsyncIterator[AsyncSession]:
    """Litestar dependency `session`: one unit of work per request, committed when its handler has returned."""
    async with database.session() as session:
        yield session
