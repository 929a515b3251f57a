"""Usage by day, dataset and person: each query once, only to those it concerns."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import day_of
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.errors import Forbidden, Invalid
from marketplace.metering.api import handlers
from marketplace.metering.groups import usage_by
from tests.conftest import ClientFor
from tests.marketplace.metering.test_usage import used
from tests.marketplace.parties import Make

TODAY = day_of(utcnow())
AROUND = {"first": TODAY - timedelta(days=1), "last": TODAY + timedelta(days=1)}
"""Midnight may come while this runs."""


async def by(session: AsyncSession, group: Any, party: UUID, *, kind: str = "startup") -> list[tuple[Any, ...]]:
    found = await usage_by(session, kind=kind, party_id=party, group=group, **AROUND)
    return [(each.key, each.queries, each.rows, each.price_vnd) for each in found.items]


async def test_a_query_of_two_datasets_counts_once_a_day_and_once_a_dataset(session: AsyncSession) -> None:
    startup, owner, person, other = new_id(), new_id(), new_id(), new_id()
    one, two = new_id(), new_id()
    query = await used(session, startup, owner, dataset_id=one, person_id=person, price_vnd=700)
    await used(session, startup, owner, query_id=query, dataset_id=two, person_id=person, price_vnd=900)
    await used(session, startup, owner, dataset_id=one, person_id=other, price_vnd=10)
    day = day_of(utcnow()).isoformat()
    assert await by(session, "day", startup) == [(day, 2, 4, 1_610)]
    assert await by(session, "dataset", startup) == [(str(two), 1, 2, 900), (str(one), 2, 4, 710)]
    assert await by(session, "person", startup) == [(str(person), 1, 2, 1_600), (str(other), 1, 2, 10)]
    assert await by(session, "dataset", owner, kind="owner") == await by(session, "dataset", startup)
    assert await by(session, "day", new_id()) == []


async def test_days_are_those_of_viet_nam_and_both_ends_count(session: AsyncSession) -> None:
    startup = new_id()
    await used(session, startup, new_id())
    for first, last, found in (
        (TODAY, TODAY + timedelta(days=1), 1),
        (TODAY - timedelta(days=9), TODAY - timedelta(days=1), 0),
    ):
        groups = await usage_by(session, kind="startup", party_id=startup, group="day", first=first, last=last)
        assert len(groups.items) == found
    for first, last in ((TODAY, TODAY - timedelta(days=1)), (date(2024, 1, 1), TODAY)):
        with pytest.raises(Invalid):
            await usage_by(session, kind="startup", party_id=startup, group="day", first=first, last=last)


async def test_nobody_but_the_startup_is_told_who_asked_and_how_long_it_took(session: AsyncSession) -> None:
    startup, owner = new_id(), new_id()
    await used(session, startup, owner, cpu_us=77)
    for kind in ("owner", "operator", "regulator"):
        with pytest.raises(Forbidden):
            await by(session, "person", owner, kind=kind)
    mine = await usage_by(session, kind="startup", party_id=startup, group="day", **AROUND)
    theirs = await usage_by(session, kind="owner", party_id=owner, group="day", **AROUND)
    assert [each.cpu_us for each in (*mine.items, *theirs.items)] == [77, None]


async def test_groups_over_http(client_for: ClientFor, database: Database, make: Make) -> None:
    startup, owner = await make.party(database), await make.party(database, kind="owner")
    async with database.session() as session:
        await used(session, startup.organisation.id, owner.organisation.id, person_id=startup.person.id)
    path = f"/api/v1/usage?group=person&from={AROUND['first']}&to={AROUND['last']}"
    async with client_for(*handlers) as client:
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, token=owner.token)).status_code == 403
        answer = (await client.get(path, token=startup.token)).json()
        assert [(each["name"], each["queries"]) for each in answer["items"]] == [(startup.person.name, 1)]
        assert (answer["first"], answer["last"]) == tuple(day.isoformat() for day in AROUND.values())
        this_month = (await client.get("/api/v1/usage?group=day", token=owner.token)).json()
        assert [each["key"] for each in this_month["items"]] == [day_of(utcnow()).isoformat()]
        for wrong in ("group=year", "group=day&from=2026-13-01", "group=day&from=2020-01-01"):
            assert (await client.get(f"/api/v1/usage?{wrong}", token=startup.token)).status_code == 400
