"""A log of its own for each test that breaks it: other tests write to the shared one."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

import tests.marketplace.audit.bodies  # noqa: F401  declares the events of tests
from marketplace.audit.check import Finding, check_log
from marketplace.audit.log_store import published_log
from marketplace.audit.note import verifier_key
from marketplace.audit.published import PublishedLog
from marketplace.audit.sequencer import sequence_once
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.engine import Database, open_database
from marketplace.db.keys import Keys
from marketplace.db.roles import OWNER
from marketplace.verifier.note import VerifierKey
from tests.homes import own_home
from tests.prepared import Prepared, copy_event_tag

EMPTIED = (
    "event_salt", "pending_leaf", "audit_leaf", "audit_node", "published", "cosignature", "checkpoint", "event",
    "decision", "usage",
)  # fmt: skip


@dataclass(frozen=True)
class Log:
    """A database with nothing but a log in it, and the keys of that log."""

    database: Database
    config: Config
    keys: Keys

    @property
    def key(self) -> VerifierKey:
        return verifier_key(self.config.log_origin, self.keys.log_signing())

    @property
    def published(self) -> PublishedLog:
        return published_log(self.config)

    async def sequence(self) -> int:
        return await sequence_once(self.database, self.keys, self.config)

    async def findings(self, **more: Any) -> tuple[Finding, ...]:
        async with self.database.session() as session:
            return await check_log(session, self.key, salt_key=self.keys.salt_key(), **more)

    async def one(self, statement: str, **parameters: Any) -> Any:
        async with self.database.session() as session:
            return await session.scalar(text(statement), parameters)

    def tamper(self, *statements: str) -> None:
        """As superuser, with triggers and foreign keys off: the worst that somebody in the database can do."""
        with psycopg.connect(embedded.url(self.config.home, OWNER)) as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                done = connection.execute(statement.encode())
                assert done.rowcount > 0, statement


@pytest.fixture(scope="session")
def log_home() -> Iterator[Path]:
    with own_home() as home:
        yield home


@pytest.fixture(scope="session")
async def log_server(log_home: Path, prepared: Prepared) -> AsyncIterator[Log]:
    config = Config(home=log_home)
    prepared.copy_tables(log_home)
    database = open_database(config, connections=8)
    _never_counted(log_home)
    yield Log(database, config, Keys(log_home / "keys"))
    await database.close()


@pytest.fixture
def log(log_server: Log, tmp_path: Path) -> Log:
    """An empty log with fresh keys."""
    empty(log_server)
    copy_event_tag(log_server.config.home, tmp_path / "keys")
    return replace(log_server, keys=Keys(tmp_path / "keys"))


def _never_counted(home: Path) -> None:
    """A log that is emptied again and again, as none is in service, and counted while three rows are in it, is
    taken for three rows in large indexes: plans would be those of nobody's log."""
    with psycopg.connect(embedded.url(home, OWNER)) as connection:
        for table in EMPTIED:
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())


def empty(log: Log) -> None:
    """Nothing in the database, and nothing published."""
    with psycopg.connect(embedded.url(log.config.home, OWNER)) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in EMPTIED:
            connection.execute(f"DELETE FROM {table}".encode())
    for folder in ("log", "remembered"):
        shutil.rmtree(log.config.path(folder), ignore_errors=True)
