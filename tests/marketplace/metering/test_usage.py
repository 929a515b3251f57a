"""Usage: recorded once, shown page by page, to those it concerns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.together import perform
from marketplace.metering.actions import usage_recorded
from marketplace.metering.api import handlers
from marketplace.metering.reads import Period, usage
from tests.conftest import ClientFor
from tests.marketplace.parties import Make


async def used(session: AsyncSession, startup: UUID, owner: UUID, **changed: Any) -> UUID:
    query: UUID = changed.pop("query_id", None) or new_id()
    figures: dict[str, Any] = {
        "person_id": new_id(), "agreement_id": new_id(), "dataset_id": new_id(), "version_id": "v1",
        "outcome": "ready", "bytes": 10, "rows": 2, "cpu_us": 3, "wall_us": 4, "peak_memory_bytes": 5,
        "price_vnd": 1_000,
    }  # fmt: skip
    row = usage_recorded(query_id=query, organisation_id=startup, owner_id=owner, **{**figures, **changed})
    await perform(session, row)
    return query


async def test_usage_of_a_query_is_recorded_once_for_each_dataset(session: AsyncSession) -> None:
    startup, owner = new_id(), new_id()
    one, other = new_id(), new_id()
    query = await used(session, startup, owner, dataset_id=one, price_vnd=700)
    await used(session, startup, owner, query_id=query, dataset_id=one, price_vnd=900)
    page = await usage(session, kind="startup", party_id=startup, period=Period())
    assert [(each.query_id, each.price_vnd) for each in page.items] == [(query, 700)]
    await used(session, startup, owner, query_id=query, dataset_id=other, price_vnd=900)
    page = await usage(session, kind="startup", party_id=startup, period=Period())
    assert sorted(each.price_vnd for each in page.items) == [700, 900]
    assert (page.totals.queries, page.totals.rows, page.totals.price_vnd) == (1, 2, 1600), "its answer counts once"


async def test_pages_neither_skip_nor_repeat_while_rows_arrive(session: AsyncSession) -> None:
    startup, owner = new_id(), new_id()
    made = [await used(session, startup, owner) for _ in range(7)]
    seen: list[UUID] = []
    cursor = None
    while True:
        page = await usage(session, kind="startup", party_id=startup, period=Period(), cursor=cursor, limit=3)
        seen += [each.query_id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
        await used(session, startup, owner)
    assert seen == made[::-1]


async def test_a_period_includes_its_first_instant_and_not_its_last(session: AsyncSession) -> None:
    startup, owner = new_id(), new_id()
    await used(session, startup, owner)
    (row,) = (await usage(session, kind="startup", party_id=startup, period=Period())).items
    step = timedelta(microseconds=1)
    for since, until, found in (
        (row.at, row.at + step, 1),
        (row.at - step, row.at, 0),
        (row.at + step, utcnow(), 0),
    ):
        page = await usage(session, kind="startup", party_id=startup, period=Period(since, until))
        assert (len(page.items), page.totals.queries) == (found, found)


async def test_who_sees_which_usage(client_for: ClientFor, database: Database, make: Make) -> None:
    startup, stranger = await make.party(database), await make.party(database)
    owner, operator = await make.party(database, kind="owner"), await make.party(database, kind="operator")
    other_owner = await make.party(database, kind="owner")
    async with database.session() as session:
        query = await used(session, startup.organisation.id, owner.organisation.id, person_id=startup.person.id)
    async with client_for(*handlers) as client:
        assert (await client.get("/api/v1/usage")).status_code == 401
        pages = {
            party.person.id: (await client.get("/api/v1/usage", token=party.token)).json()
            for party in (startup, stranger, owner, other_owner, operator)
        }
    mine, theirs = pages[startup.person.id]["items"], pages[owner.person.id]["items"]
    assert [each["query_id"] for each in mine] == [str(query)] == [each["query_id"] for each in theirs]
    assert mine[0]["person_id"] == str(startup.person.id)
    assert (theirs[0]["person_id"], theirs[0]["wall_us"]) == (None, None)
    for nobody in (stranger, other_owner):
        assert pages[nobody.person.id]["items"] == []
        assert pages[nobody.person.id]["totals"]["queries"] == 0
    assert pages[operator.person.id]["items"] == []
    assert pages[operator.person.id]["totals"]["queries"] >= 1


async def test_wrong_cursors_and_limits_are_refused_in_words(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    startup = await make.party(database)
    async with client_for(*handlers) as client:
        for query in ("cursor=zzz", "cursor=W10", "limit=0", "limit=201", "since=yesterday"):
            answer = await client.get(f"/api/v1/usage?{query}", token=startup.token)
            assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
            assert answer.json()["errors"][0]["path"] in query
