"""Search finds what reading every row finds, before and after events are indexed, page by page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event

from catalog.search import fold
from marketplace.audit.actions import record
from marketplace.audit.reads import EventView, Viewer
from marketplace.db import embedded
from marketplace.db.engine import Database
from marketplace.db.roles import OWNER
from marketplace.errors import Forbidden
from marketplace.oversight.index import indexed
from marketplace.oversight.indexer import index_once
from marketplace.oversight.postings import BLOCK_EVENTS
from marketplace.oversight.search import Search
from marketplace.oversight.viewing import view_events
from tests.marketplace.audit.conftest import Log
from tests.marketplace.oversight.filling import BEGAN, Row, fill, numbered, rows

EVENTS = 2 * BLOCK_EVENTS + 300
BUSY, QUIET = numbered("star", 0), numbered("star", 150)
ALL = Viewer(uuid4(), uuid4(), "regulator")
MONTH = timedelta(days=30)

Case = tuple[Search, Callable[[Row], bool]]
CASES: dict[str, Case] = {
    "party": (Search(organisation_id=BUSY), lambda row: BUSY in row.parties),
    "quiet party": (Search(organisation_id=QUIET), lambda row: QUIET in row.parties),
    "person": (Search(person_id=numbered("pers", 1)), lambda row: row.person == numbered("pers", 1)),
    "dataset": (Search(dataset_id=numbered("data", 3)), lambda row: row.dataset == numbered("data", 3)),
    "agreement": (Search(agreement_id=numbered("agre", 0)), lambda row: row.agreement == numbered("agre", 0)),
    "purpose": (Search(purpose="product.rnd"), lambda row: row.purpose == "product.rnd"),
    "name": (Search(name="consent:withdraw"), lambda row: row.name == "consent:withdraw"),
    "denied": (Search(decision="deny"), lambda row: row.name in ("query:deny", "quote:deny")),
    "reason": (Search(code="money.short"), lambda row: '"money.short"' in str(row.body).replace("'", '"')),
    "time": (
        Search(since=BEGAN + MONTH, until=BEGAN + 2 * MONTH),
        lambda row: BEGAN + MONTH <= row.at < BEGAN + 2 * MONTH,
    ),
    "amount": (
        Search(min_vnd=1_100, max_vnd=6_999),
        lambda row: row.price_vnd is not None and 1_100 <= row.price_vnd < 7_000,
    ),
    "amount from": (Search(min_vnd=1_000_000), lambda row: (row.price_vnd or 0) >= 1_000_000),
    "words": (Search(q="gia  ĐINH"), lambda row: "gia dinh" in fold(str(row.body.get("note", "")))),
    "several": (
        Search(organisation_id=BUSY, name="query:deny", code="consent.none", q="dan", since=BEGAN + MONTH),
        lambda row: (
            BUSY in row.parties
            and row.name == "query:deny"
            and "consent.none" in str(row.body)
            and "dan so" in fold(str(row.body["note"]))
            and row.at >= BEGAN + MONTH
        ),
    ),
    "nothing": (Search(organisation_id=BUSY, q="khongco"), lambda row: False),
    "all": (Search(), lambda row: True),
}


async def pages(database: Database, viewer: Viewer, search: Search, *, limit: int = 400) -> list[EventView]:
    found: list[EventView] = []
    cursor: str | None = None
    while True:
        async with database.session() as session:
            page = await view_events(session, viewer, search, cursor=cursor, limit=limit)
            await session.rollback()  # what a search records is another test's business
        found += page.items
        if (cursor := page.next) is None:
            return found


@pytest.mark.parametrize("state", ["not indexed", "indexed"])
async def test_a_search_finds_what_reading_every_row_finds(log: Log, state: str) -> None:
    written = list(rows(EVENTS))
    fill(embedded.url(log.config.home, OWNER), iter(written))
    if state == "indexed":
        assert await index_once(log.database) == 2
    for name, (search, fits) in CASES.items():
        due = {row.id for row in written if fits(row)}
        found = await pages(log.database, ALL, search)
        assert len(found) == len(due), name
        assert {event.id for event in found} == due, name
        assert all(event.proof == f"/api/v1/audit/proof?leaf={event.leaf_index}" for event in found)
        assert name == "nothing" or due, f"{name} tries nothing"
        newest = [(event.leaf_index or 0, event.at) for event in found]
        assert all(first[0] > second[0] or first[1] >= second[1] for first, second in pairwise(newest)), name


async def test_a_party_finds_only_its_own_events_whatever_it_asks(log: Log) -> None:
    written = list(rows(EVENTS))
    fill(embedded.url(log.config.home, OWNER), iter(written))
    await index_once(log.database)
    viewer = Viewer(uuid4(), QUIET, "startup")
    for name, (search, fits) in CASES.items():
        due = {row.id for row in written if fits(row) and QUIET in row.parties}
        assert {event.id for event in await pages(log.database, viewer, search)} == due, name


async def test_an_index_that_lies_shows_no_tenant_anothers_event(log: Log) -> None:
    written = list(rows(BLOCK_EVENTS))
    fill(embedded.url(log.config.home, OWNER), iter(written))
    await index_once(log.database)
    bitmap = "decode(repeat('ff', 128), 'hex')"
    log.tamper(f"UPDATE search_posting SET positions = {bitmap}")
    found = await pages(log.database, Viewer(uuid4(), QUIET, "startup"), Search())
    assert {event.id for event in found} == {row.id for row in written if QUIET in row.parties}


async def test_pages_neither_skip_nor_repeat_while_events_get_leaves_and_blocks(log: Log) -> None:
    """Events come, are sequenced and indexed between any two pages: what was there at first is shown once each."""
    mine = uuid4()
    viewer = Viewer(uuid4(), mine, "startup")
    made: list[UUID] = []

    async def more(count: int) -> None:
        async with log.database.session() as session:
            for _ in range(count):
                made.append(await record(session, "test:event", parties=[mine]))

    fill(embedded.url(log.config.home, OWNER), rows(BLOCK_EVENTS - 10))
    await more(40)
    due, seen, cursor = list(made), list[UUID](), None
    while True:
        async with log.database.session() as session:
            page = await view_events(session, viewer, Search(), cursor=cursor, limit=7)
        seen += [event.id for event in page.items]
        if (cursor := page.next) is None:
            break
        log.tamper(_leaf_of_pending())
        await index_once(log.database)
        await more(3)
    assert sorted(seen) == sorted(due)
    assert len(await pages(log.database, viewer, Search(), limit=7)) == len(made)


def _leaf_of_pending() -> str:
    """What the sequencer does for ten events, without the tree: these leaves have no hashes below them."""
    return """
        WITH first AS (DELETE FROM pending_leaf WHERE event_id IN
            (SELECT event_id FROM pending_leaf ORDER BY event_id LIMIT 10) RETURNING event_id)
        INSERT INTO audit_leaf (index, event_id, data)
        SELECT (SELECT max(index) FROM audit_leaf) + row_number() OVER (ORDER BY event_id), event_id,
            convert_to('{"c":"","l":""}', 'UTF8') FROM first
    """


async def test_a_block_is_indexed_once_whoever_looks(log: Log) -> None:
    fill(embedded.url(log.config.home, OWNER), rows(BLOCK_EVENTS - 1))
    assert await index_once(log.database) == 0
    fill(embedded.url(log.config.home, OWNER), rows(1, first=BLOCK_EVENTS), first_leaf=BLOCK_EVENTS - 1)
    assert await index_once(log.database) == 1
    assert await index_once(log.database) == 0
    async with log.database.session() as session:
        assert await indexed(session) == BLOCK_EVENTS


@pytest.mark.parametrize("search", [Search(q="dan"), Search(code="money.short"), Search(decision="deny")])
async def test_the_operator_cannot_ask_for_what_bodies_say(log: Log, search: Search) -> None:
    async with log.database.session() as session:
        with pytest.raises(Forbidden):
            await view_events(session, Viewer(uuid4(), uuid4(), "operator"), search)


async def test_a_word_of_many_beginnings_reads_only_the_blocks_that_are_left(log: Log) -> None:
    mine = uuid4()
    written = [row._replace(body={"note": f"tu{n}"}) for n, row in enumerate(rows(3 * BLOCK_EVENTS))]
    written[5] = written[5]._replace(parties=(mine,), body={"note": "tu5 ông t"})
    fill(embedded.url(log.config.home, OWNER), iter(written))
    assert await index_once(log.database) == 3
    asked: list[Any] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM search_posting" in statement:
            asked.append(parameters.get("blocks"))

    event.listen(log.database.engine.sync_engine, "after_cursor_execute", note)
    try:
        found = await pages(log.database, ALL, Search(organisation_id=mine, q="tu"))
    finally:
        event.remove(log.database.engine.sync_engine, "after_cursor_execute", note)
    assert [each.id for each in found] == [written[5].id]
    assert asked == [None, [0]], "the party's postings, and those of the words in its block"
    assert [each.id for each in await pages(log.database, ALL, Search(q="T"))] == [written[5].id]
    assert [each.id for each in await pages(log.database, Viewer(uuid4(), mine, "owner"), Search(q="tu t"))] == [
        written[5].id
    ]


async def test_a_query_is_found_by_its_id(log: Log) -> None:
    written = list(rows(BLOCK_EVENTS + 50))
    fill(embedded.url(log.config.home, OWNER), iter(written))
    await index_once(log.database)
    asked = next(row for row in written if row.query is not None)
    (found,) = await pages(log.database, ALL, Search(query_id=asked.query))
    assert found.id == asked.id
    assert await pages(log.database, ALL, Search(query_id=asked.query, name="person:sign_out")) == []
