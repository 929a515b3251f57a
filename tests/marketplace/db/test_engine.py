"""Units of work; PostgreSQL gone and back."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from litestar import get, post
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Organisation
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.base import new_id
from marketplace.db.engine import (
    Database,
    DatabaseBusy,
    DatabaseUnavailable,
    database_url,
    migration_url,
    provide_session,
)
from marketplace.db.together import NotAsRequired, Statement, required
from marketplace.errors import Conflict
from tests.conftest import ClientFor
from tests.prepared import Prepared


@get("/count")
async def count(session: AsyncSession) -> int:
    return await session.scalar(text("select count(*) from organisation")) or 0


@post("/enter/{slug:str}")
async def enter(session: AsyncSession, slug: str, fail: bool = False) -> None:
    session.add(Organisation(id=new_id(), kind="startup", name=slug, slug=slug))
    await session.flush()
    if fail:
        raise Conflict


async def entered(database: Database, slug: str) -> bool:
    found = await database.one(text("select 1 from organisation where slug = :slug"), {"slug": slug})
    return found is not None


async def test_a_request_is_one_unit_of_work(client_for: ClientFor, database: Database) -> None:
    done, failed = str(new_id()), str(new_id())
    async with client_for(enter) as client:
        assert (await client.post(f"/enter/{done}")).status_code == 201
        assert (await client.post(f"/enter/{failed}?fail=true")).status_code == 409
    assert await entered(database, done)
    assert not await entered(database, failed)


INSERTED = text(
    "insert into organisation (id, kind, name, slug, created_at) values (:id, 'startup', 'x', :slug, now())"
)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_what_travels_at_once_stands_whole_or_not_at_all(database: Database, place: int) -> None:
    slugs = [str(new_id()), str(new_id())]
    inserts = [Statement(INSERTED, {"id": new_id(), "slug": slug}) for slug in slugs]
    sought = text("select 1 from organisation where slug = :slug")
    for condition, stands in (("count(*) > 5", False), ("count(*) < 5", True)):
        sent = list(inserts)
        sent.insert(place, Statement(required(sought, condition), {"slug": slugs[0]}))
        with contextlib.nullcontext() if stands else pytest.raises(NotAsRequired):
            await database.at_once(sent)
        assert [await entered(database, slug) for slug in slugs] == [stands, stands]


async def test_what_fails_last_undoes_all_that_travelled_with_it(database: Database) -> None:
    slug = str(new_id())
    twice = [Statement(INSERTED, {"id": new_id(), "slug": slug}) for _ in range(2)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        await database.at_once(twice)
    assert not await entered(database, slug)


async def test_an_exception_rolls_back_what_the_block_did(database: Database) -> None:
    slug = str(new_id())

    async def fail() -> None:
        async with database.session() as session:
            session.add(Organisation(id=new_id(), kind="startup", name="x", slug=slug))
            await session.flush()
            raise KeyError(slug)

    with pytest.raises(KeyError):
        await fail()
    assert not await entered(database, slug)


async def test_other_database_errors_are_not_disguised(database: Database) -> None:
    async with database.session() as session:
        with pytest.raises(IntegrityError):
            await session.execute(text("insert into organisation (id) values (gen_random_uuid())"))
        await session.rollback()


async def test_a_deadlock_is_an_answer_that_says_try_again(database: Database) -> None:
    one, two = new_id().int % 2**31, new_id().int % 2**31 + 1
    both_hold = asyncio.Barrier(2)
    take = text("select pg_advisory_xact_lock(:n)")

    async def cross(first: int, second: int) -> None:
        async with database.session() as session:
            await session.execute(take, {"n": first})
            await both_hold.wait()
            await session.execute(take, {"n": second})

    answers = await asyncio.gather(cross(one, two), cross(two, one), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["DatabaseBusy", "NoneType"]
    assert DatabaseBusy.status == 503


@pytest.fixture
async def fragile(own_home: Path, prepared: Prepared) -> AsyncIterator[tuple[Path, Database]]:
    """A server of its own that a test may stop."""
    prepared.copy_tables(own_home)
    database = Database(embedded.start(own_home), connections=4)
    yield own_home, database
    await database.close()


async def test_after_a_restart_the_next_request_works_and_meanwhile_it_is_said_plainly(
    fragile: tuple[Path, Database], config: Config
) -> None:
    home, database = fragile
    from litestar.testing import AsyncTestClient

    from tests.marketplace.api import small_app

    async with AsyncTestClient(small_app([count], database=database, config=config)) as client:
        together = await asyncio.gather(*(client.get("/count") for _ in range(8)))
        assert {each.status_code for each in together} == {200}
        embedded.stop(home)
        for _ in range(6):
            down = await client.get("/count")
            assert (down.status_code, down.json()["code"]) == (503, "database.unavailable")
            assert "psycopg" not in down.text
        embedded.start(home)
        assert (await client.get("/count")).status_code == 200
        embedded.stop(home)
        embedded.start(home)
        again = await asyncio.gather(*(client.get("/count") for _ in range(8)))
        assert {each.status_code for each in again} == {200}


async def test_a_connection_lost_in_the_middle_of_a_unit_of_work_is_unavailable(
    fragile: tuple[Path, Database],
) -> None:
    home, database = fragile

    async def interrupted() -> None:
        async with database.session() as session:
            await session.execute(text("select 1"))
            await asyncio.to_thread(embedded.stop, home)
            await session.execute(text("select 1"))

    async def interrupted_unit() -> None:
        async with database.unit() as unit:
            await unit.send([Statement(text("select 1"))])
            await asyncio.to_thread(embedded.stop, home)
            await unit.send([Statement(text("select 1"))])

    for each in (interrupted, interrupted_unit):
        with pytest.raises(DatabaseUnavailable):
            await each()
        await asyncio.to_thread(embedded.start, home)
        async with database.session() as session:
            assert await session.scalar(text("select 1")) == 1


async def test_a_pool_that_is_all_in_use_says_busy_in_bounded_time(
    config: Config, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.db.engine.POOL_TIMEOUT_S", 0.1)
    small = Database(database_url(config), connections=1)

    async def second() -> None:
        async with small.session() as session:
            await session.execute(text("select 1"))

    async with small.session() as session:
        await session.execute(text("select 1"))
        with pytest.raises(DatabaseBusy):
            await second()
    await second()
    async with small.unit() as unit:
        await unit.send([Statement(text("select 1"))])
        with pytest.raises(DatabaseBusy):
            await small.one(text("select 1"), {})
    assert await small.one(text("select 1"), {}) is not None
    await small.close()


async def test_whoever_signs_in_works_as_the_service(config: Config, database: Database) -> None:
    as_owner = Database(migration_url(config), connections=1)
    async with as_owner.session() as session:
        row = (await session.execute(text("select session_user, current_user"))).one()
    await as_owner.close()
    assert tuple(row) == ("sandulieu", "sandulieu_service")


def test_a_configured_database_is_used_as_it_is() -> None:
    config = Config(database_url="postgresql://app@db/x", migrate_url="postgresql://owner@db/x")
    assert database_url(config) == "postgresql://app@db/x"
    assert migration_url(config) == "postgresql://owner@db/x"
    assert migration_url(Config(database_url="postgresql://app@db/x")) == "postgresql://app@db/x"


async def test_a_session_that_the_framework_drops_can_be_closed(database: Database) -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what["message"]))
    kept: dict[str, Any] = {"session": provide_session(database)}
    kept["itself"] = kept  # as a refusal's traceback does: collected together, in any order
    await anext(kept["session"])
    del kept
    for _ in range(3):
        gc.collect()
        await asyncio.sleep(0.01)
    asyncio.get_running_loop().set_exception_handler(None)
    assert told == []
