"""What the tests of the marketplace stand on: a real PostgreSQL, rolled-back sessions, parties, small apps."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from litestar.testing import AsyncTestClient
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession
from xdist.remote import Producer

import marketplace.tables  # noqa: F401  # every table is known, whatever a test imports
from marketplace.config import Config
from marketplace.db.engine import Database, open_database
from tests import borrowed, compiled
from tests.examples import tried
from tests.homes import own_home
from tests.marketplace.api import Client, small_app
from tests.marketplace.parties import Make
from tests.prepared import Prepared, prepared
from tests.schedule import Neighbours, begin_with_scopes, mark_long

# No test is timed: on a busy machine an example takes as long as it takes.
settings.register_profile(
    "untimed", max_examples=tried(40), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")
compiled.keep()
borrowed.keep()

__all__ = ["prepared"]
_small_app = lru_cache(maxsize=16)(small_app)  # the same app for the same parts
_KEEPER: list[str] = []
ClientFor = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Iterator[None]:
    """One keeper of jails for a run, whose workers inherit its address."""
    if not hasattr(session.config, "workerinput"):
        keeper = contextlib.ExitStack()
        session.config.add_cleanup(keeper.close)
        _KEEPER.append(keeper.enter_context(borrowed.keeping()))
        os.environ[borrowed.KEEPER] = _KEEPER[0]
    else:
        _KEEPER.append(os.environ[borrowed.KEEPER])
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a test, and a service that it starts, has for jails."""
    os.environ[borrowed.KEEPER] = _KEEPER[0] if borrowed.may_borrow(item.nodeid) else ""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Neighbours:
    """Only asked for when there are workers."""
    return Neighbours(config, log)


gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_long(items)
    begin_with_scopes(items)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: nobody need look for garbage in it, now or again."""
    gc.enable()
    gc.freeze()


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home of its own for this run; its database goes with it."""
    with own_home() as folder:
        yield folder


@pytest.fixture(scope="session")
def config(home: Path) -> Config:
    """The defaults, in this run's home."""
    return Config(home=home)


@pytest.fixture(scope="session")
async def database(config: Config, prepared: Prepared) -> AsyncIterator[Database]:
    """PostgreSQL with all tables, seen as the service sees it: what is committed stays, so name things anew."""
    prepared.copy_tables(config.home)
    database = open_database(config, connections=40)
    yield database
    await database.close()


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A unit of work that is rolled back after the test."""
    async with database.engine.connect() as connection:
        transaction = await connection.begin()
        async with AsyncSession(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
        await transaction.rollback()


@pytest.fixture
def make() -> Make:
    """Factory of parties: `await make.organisation(session, kind="startup")` and so on."""
    return Make()


@pytest.fixture
def client_for(database: Database, config: Config) -> ClientFor:
    """`async with client_for(*handlers, **more) as client`: the real HTTP stack over these handlers only.

    `more`: further dependencies by name (store=…, engine=…), given to handlers as they are.
    """

    @contextlib.asynccontextmanager
    async def open_client(*handlers: ControllerRouterHandler, **more: Any) -> AsyncIterator[Client]:
        app = _small_app(handlers, database=database, config=config, **more)
        async with AsyncTestClient(app, raise_server_exceptions=False) as http:
            yield Client(http)

    return open_client
