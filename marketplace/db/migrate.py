"""Alembic without its ini file: bring the tables to the newest revision, or say where they are."""

from __future__ import annotations

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from msgspec import Struct
from sqlalchemy import Connection, create_engine, text

from marketplace.config import Config
from marketplace.db.engine import migration_url, sqlalchemy_url
from marketplace.db.keys import Keys
from marketplace.db.schema import MIGRATIONS, TablesNewer, is_newer

ONE_AT_A_TIME = 0x53444C  # "SDL": advisory lock of whoever migrates


class Status(Struct, frozen=True):
    """Where the tables are. `current` None: no table yet."""

    current: str | None
    newest: str | None
    up_to_date: bool


def upgrade(config: Config) -> Status:
    """Run every missing migration, in one transaction; two at once do it once. Raises TablesNewer."""
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": ONE_AT_A_TIME})
        before = _status(connection)
        if is_newer(before.current):
            raise TablesNewer(current=before.current, newest=before.newest)
        command.upgrade(_alembic(connection, Keys(config.path("keys")).event_tag()), "head")
        found = _status(connection)
    engine.dispose()
    return found


def status(config: Config) -> Status:
    """Which revision the tables have and which is newest."""
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    with engine.connect() as connection:
        found = _status(connection)
    engine.dispose()
    return found


def _status(connection: Connection) -> Status:
    current = MigrationContext.configure(connection).get_current_revision()
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    return Status(current=current, newest=newest, up_to_date=current == newest)


def _alembic(connection: Connection, event_tag: bytes) -> AlembicConfig:
    alembic = AlembicConfig(attributes={"connection": connection, "event_tag": event_tag})
    alembic.set_main_option("script_location", str(MIGRATIONS))
    return alembic
