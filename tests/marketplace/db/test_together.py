"""Statements that travel together: all or none of them, judged before the commit; the pool is whole afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import text

from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database, open_database
from marketplace.db.together import Statement
from marketplace.errors import Invalid

ENTER = text(
    "insert into organisation (id, kind, name, slug, created_at) values (:id, 'startup', 'x', :slug, now())"
)
FIND = text("select slug from organisation where slug = any(:slugs) order by slug")


def enter(slug: str) -> Statement:
    return Statement(ENTER, {"id": new_id(), "slug": slug})


@pytest.fixture
async def narrow(config: Config, database: Database) -> AsyncIterator[Database]:
    """One connection only, so that whoever comes next gets what the last one left."""
    del database  # its tables
    opened = open_database(config, connections=1)
    yield opened
    await opened.close()


async def test_each_statement_has_its_rows_in_the_order_sent(narrow: Database) -> None:
    slugs = sorted(str(new_id()) for _ in range(3))
    async with narrow.unit() as unit:
        answers = await unit.send(
            [*map(enter, slugs), Statement(FIND, {"slugs": slugs}), Statement(FIND, {"slugs": []})]
        )
    assert [[row.slug for row in rows] for rows in answers] == [[], [], [], slugs, []]


async def test_one_that_fails_takes_the_others_with_it(narrow: Database) -> None:
    before, after = str(new_id()), str(new_id())

    async def fail() -> None:
        async with narrow.unit() as unit:
            await unit.send([enter(before), enter(before), enter(after)])

    with pytest.raises(psycopg.errors.UniqueViolation):
        await fail()
    assert await narrow.one(FIND, {"slugs": [before, after]}) is None


async def test_what_is_judged_wrong_is_undone_and_another_way_taken(narrow: Database) -> None:
    first, second = str(new_id()), str(new_id())
    async with narrow.unit() as unit:
        await unit.send([enter(first)])
        await unit.undo()
        await unit.send([enter(second)])
    assert await narrow.one(FIND, {"slugs": [first]}) is None
    assert await narrow.one(FIND, {"slugs": [second]}) is not None


async def test_a_reader_who_is_cancelled_leaves_a_connection_that_still_keeps_units_whole(
    narrow: Database,
) -> None:
    waiting = asyncio.create_task(narrow.one(text("select pg_sleep(30)"), {}))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    slug = str(new_id())

    async def fail() -> None:
        async with narrow.unit() as unit:
            await unit.send([enter(slug)])
            raise KeyError(slug)

    with pytest.raises(KeyError):
        await fail()
    assert await narrow.one(FIND, {"slugs": [slug]}) is None


async def test_a_value_without_a_form_in_postgresql_is_the_callers_fault(narrow: Database) -> None:
    with pytest.raises(Invalid):
        await narrow.one(FIND, {"slugs": ["\0"]})
    with pytest.raises(Invalid):
        await narrow.one(text("select cast(:n as bigint) + 1 as n"), {"n": 2**63 - 1})


async def test_reads_travel_together_and_a_row_without_columns_is_a_row(narrow: Database) -> None:
    some, none = text("select from pg_class limit 2"), text("select from pg_class where relname = :name")
    one, two, three = await narrow.each(
        [Statement(text("select 1 as n")), Statement(some), Statement(none, {"name": "?"})]
    )
    assert ([row.n for row in one], len(two), three) == ([1], 2, [])
    assert await narrow.one(some, {}) is not None
    assert await narrow.one(none, {"name": "?"}) is None


async def test_what_the_server_passed_over_after_a_failure_is_not_taken_for_prepared(narrow: Database) -> None:
    twice, find = enter(str(new_id())), Statement(FIND, {"slugs": [str(new_id())]})
    await narrow.each([twice])
    for _ in range(4):  # the driver prepares what it has seen so often
        assert await narrow.each([find, find]) == [[], []]
        with pytest.raises(psycopg.errors.UniqueViolation):
            await narrow.each([twice, find])
        assert await narrow.each([find]) == [[]]


async def test_what_the_server_knows_by_name_is_bounded(narrow: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.db.pipeline.PREPARED_MOST", 3)
    for n in range(6):
        (row,) = await narrow.all(text(f"select {n} + cast(:one as int) as n"), {"one": 1})
        assert row.n == n + 1
    (named,) = await narrow.all(text("select count(*) as n from pg_prepared_statements"), {})
    assert named.n == 3


async def test_the_same_twice_in_one_round_trip_is_prepared_once(narrow: Database) -> None:
    sql = text("select cast(:n as int) as n, '100 %' as share")
    asked = [Statement(sql, {"n": n}) for n in range(5)]
    assert [[(row.n, row.share) for row in rows] for rows in await narrow.each(asked)] == [
        [(n, "100 %")] for n in range(5)
    ]
    (named,) = await narrow.all(text("select count(*) as n from pg_prepared_statements"), {})
    assert named.n == 2  # and this one


async def test_a_unit_that_is_cancelled_in_the_middle_leaves_nothing_and_hinders_nobody(narrow: Database) -> None:
    slug = str(new_id())

    async def work() -> None:
        async with narrow.unit() as unit:
            await unit.send([enter(slug)])
            await unit.send([Statement(text("select pg_sleep(30)")), enter(str(new_id()))])

    waiting = asyncio.create_task(work())
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await narrow.one(FIND, {"slugs": [slug]}) is None
    async with narrow.unit() as unit:
        await unit.send([enter(slug)])
    assert await narrow.one(FIND, {"slugs": [slug]}) is not None


async def test_what_is_longer_than_every_buffer_goes_through_in_both_directions(narrow: Database) -> None:
    long = "x" * 4_000_000
    sent = [Statement(text("select cast(:text as text) as text"), {"text": f"{n}{long}"}) for n in range(4)]
    answers = await narrow.each(sent)
    assert [(row.text[0], len(row.text)) for (row,) in answers] == [(str(n), 4_000_001) for n in range(4)]
