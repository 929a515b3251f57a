"""The tables are what the models say, and recorded rows cannot be changed by anybody."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from marketplace.audit.tag import is_ours
from marketplace.config import Config
from marketplace.db import embedded, migrate, schema
from marketplace.db.base import INSERT_ONLY
from marketplace.db.engine import Database, migration_url, sqlalchemy_url
from marketplace.db.keys import Keys
from marketplace.tables import metadata

DEFINED = text("""
    select c.relname, 'constraint', k.conname, pg_get_constraintdef(k.oid) from pg_constraint k
    join pg_class c on c.oid = k.conrelid where c.relnamespace = to_regnamespace(:schema)
    union all
    select c.relname, 'index', x.relname, replace(pg_get_indexdef(i.indexrelid), :schema || '.', '')
    from pg_index i
    join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
    where c.relnamespace = to_regnamespace(:schema)
    union all
    select c.relname, 'column', a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
           || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and c.relnamespace = to_regnamespace(:schema)
""")


def test_every_column_constraint_and_index_is_the_models(config: Config, database: Database) -> None:
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    found = {}
    with engine.connect() as connection:
        connection.execute(text("create schema twin"))
        for schema in ("twin", "public"):
            connection.execute(text(f"set local search_path to {schema}, public"))  # extensions are there
            if schema == "twin":
                metadata.create_all(connection, checkfirst=False)
            rows = connection.execute(DEFINED, {"schema": schema})
            found[schema] = sorted(tuple(row) for row in rows if row[0] != "alembic_version")
        connection.rollback()
    engine.dispose()
    assert len(found["twin"]) > 200
    assert found["public"] == found["twin"]


def test_migrating_again_changes_nothing(config: Config, database: Database) -> None:
    before = migrate.status(config)
    assert before.up_to_date
    assert migrate.upgrade(config) == before


async def test_the_service_can_change_no_recorded_row(database: Database) -> None:
    async with database.session() as session:
        assert await session.scalar(text("select current_user")) == "sandulieu_service"
        told = {}
        for change in _changes():
            try:
                async with session.begin_nested() as tried:
                    await session.execute(text(change))
                    await tried.rollback()
                told[change] = "done"
            except ProgrammingError as error:
                told[change] = str(error)
        await session.rollback()
    wrong = {change: said for change, said in told.items() if "permission denied" not in said}
    assert not wrong, wrong


def test_the_owner_of_the_tables_cannot_either(config: Config, database: Database) -> None:
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    told = {}
    with engine.connect() as connection:
        for change in _changes(" CASCADE"):
            try:
                with connection.begin_nested() as tried:
                    connection.execute(text(change))
                    tried.rollback()
                told[change] = "done"
            except ProgrammingError as error:
                told[change] = str(error)
        connection.rollback()
    engine.dispose()
    wrong = {change: said for change, said in told.items() if "insert-only" not in said}
    assert not wrong, wrong


async def test_the_service_owns_nothing_and_cannot_switch_the_trigger_off(database: Database) -> None:
    async with database.session() as session:
        with pytest.raises(ProgrammingError, match="must be owner"):
            await session.execute(text("ALTER TABLE transfer DISABLE TRIGGER insert_only"))
        await session.rollback()


def _changes(with_what: str = "") -> list[str]:
    """Of every insert-only table, each way to change it."""
    ways = ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", f"TRUNCATE {{0}}{with_what}")
    columns = {table: next(iter(metadata.tables[table].columns)).name for table in INSERT_ONLY}
    return [way.format(f'"{table}"', f'"{columns[table]}"') for table in INSERT_ONLY for way in ways]


async def test_an_owner_that_is_no_superuser_migrates_its_home_database(own_home: Path) -> None:
    embedded.start(own_home)
    administrator = embedded.url(own_home, "sandulieu")
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute("drop role sandulieu_service")
        connection.execute("create role app login createrole")
        connection.execute("create database app owner app")
    url = embedded.url(own_home, "app").replace("/sandulieu?", "/app?")
    assert migrate.upgrade(Config(home=own_home, database_url=url)).up_to_date
    database = Database(url, connections=1)
    async with database.session() as session:
        who = (await session.execute(text("select session_user, current_user"))).one()
        assert tuple(who) == ("app", "sandulieu_service")
        with pytest.raises(ProgrammingError, match="permission denied"):
            await session.execute(text("delete from transfer"))
        await session.rollback()
    await database.close()


def test_what_waited_for_its_leaf_before_there_were_tags_gets_one(own_home: Path) -> None:
    config, event_id, commitment = Config(home=own_home), uuid4(), b"c" * 32
    key = Keys(config.path("keys")).event_tag()
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    with engine.begin() as connection:
        command.upgrade(migrate._alembic(connection, key), "0046")
        connection.execute(
            text(
                "insert into event (id, at, name, parties, body, commitment)"
                " values (:id, now(), 'test:event', '{}', '{}', :commitment)"
            ),
            {"id": event_id, "commitment": commitment},
        )
        connection.execute(text("insert into pending_leaf values (:id)"), {"id": event_id})
    assert migrate.upgrade(config).up_to_date
    with engine.connect() as connection:
        tag = connection.scalar(text("select tag from pending_leaf"))
    engine.dispose()
    assert is_ours(key, event_id, commitment, tag)


def test_the_migration_and_the_service_agree_on_what_is_insert_only(config: Config, database: Database) -> None:
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    with engine.connect() as connection:
        guarded = connection.scalars(
            text("select tgrelid::regclass::text from pg_trigger where tgname = 'insert_only'")
        ).all()
    engine.dispose()
    assert sorted(name.strip('"') for name in guarded) == sorted(INSERT_ONLY)


def test_the_newest_revision_is_known_without_alembic(config: Config, database: Database) -> None:
    assert schema.newest() == migrate.status(config).newest


def test_tables_that_are_up_to_date_are_left_alone_and_those_that_are_not_are_migrated(tmp_path: Path) -> None:
    fresh = Config(home=tmp_path)
    try:
        schema.bring_up_to_date(fresh)
        assert migrate.status(fresh).up_to_date
        schema.bring_up_to_date(fresh)
        assert migrate.status(fresh).up_to_date
        schema.require_up_to_date(fresh)
        refused = (("0001", [schema.require_up_to_date], schema.TablesBehind),
                   ("9999", [schema.require_up_to_date, schema.bring_up_to_date], schema.TablesNewer))  # fmt: skip
        for revision, looks, told in refused:
            with psycopg.connect(migration_url(fresh)) as connection:
                connection.execute("update alembic_version set version_num = %s", [revision])
            for look in looks:
                with pytest.raises(told):
                    look(fresh)
    finally:
        embedded.stop(tmp_path)
