"""The tables are what the models say, and recorded rows cannot be changed by anybody."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from marketplace.config import Config
from marketplace.db import migrate
from marketplace.db.base import INSERT_ONLY
from marketplace.db.engine import Database, migration_url, sqlalchemy_url
from marketplace.tables import metadata


def test_the_migrations_make_what_the_models_say(config: Config, database: Database) -> None:
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_migrating_again_changes_nothing(config: Config, database: Database) -> None:
    before = migrate.status(config)
    assert before.up_to_date
    assert migrate.upgrade(config) == before


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
async def test_the_service_can_change_no_recorded_row(database: Database, table: str, change: str) -> None:
    async with database.session() as session:
        assert await session.scalar(text("select current_user")) == "sandulieu_service"
        with pytest.raises(ProgrammingError, match="permission denied"):
            await session.execute(text(_on(table, change)))
        await session.rollback()


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_owner_of_the_tables_cannot_either(
    config: Config, database: Database, table: str, change: str
) -> None:
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    with engine.connect() as connection, pytest.raises(ProgrammingError, match="insert-only"):
        connection.execute(text(_on(table, change)))
    engine.dispose()


async def test_the_service_owns_nothing_and_cannot_switch_the_trigger_off(database: Database) -> None:
    async with database.session() as session:
        with pytest.raises(ProgrammingError, match="must be owner"):
            await session.execute(text("ALTER TABLE transfer DISABLE TRIGGER insert_only"))
        await session.rollback()


def _on(table: str, change: str) -> str:
    column = next(iter(metadata.tables[table].columns)).name
    return change.format(f'"{table}"', f'"{column}"')
