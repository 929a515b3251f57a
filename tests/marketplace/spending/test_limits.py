"""Limits over HTTP, by whom, and that reaching a share of one is told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.audit.models import Event
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.spending.api import handlers
from marketplace.spending.errors import LimitReached
from marketplace.spending.jobs import tell_reached
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.parties import Make
from tests.marketplace.spending.buyer import Buyer, open_buyer

PATH = "/api/v1/spending"


@pytest.fixture
async def client(client_for: ClientFor) -> AsyncIterator[Client]:
    async with client_for(*handlers) as opened:
        yield opened


@pytest.fixture
async def buyer(database: Database) -> Buyer:
    return await open_buyer(database)


async def told(database: Database, buyer: Buyer, name: str) -> list[dict[str, Any]]:
    async with database.session() as session:
        rows = select(Event.body).where(Event.name == name, Event.parties.contains([buyer.organisation_id]))
        return [body or {} for body in (await session.scalars(rows.order_by(Event.id))).all()]


async def test_only_an_admin_of_the_startup_sets_its_limits(
    client: Client, database: Database, buyer: Buyer, make: Make
) -> None:
    tokens, body = buyer.sides.tokens, {"month_vnd": 5_000}
    assert (await client.get(PATH)).status_code == 401
    assert (await client.post(f"{PATH}/limits", json=body)).status_code == 401
    for actor in ("owner steward", "regulator", "operator"):
        assert (await client.get(PATH, token=tokens[actor])).status_code == 403, actor
    for actor in ("startup analyst", "owner steward", "regulator"):
        assert (await client.post(f"{PATH}/limits", json=body, token=tokens[actor])).status_code == 403, actor
    made = await client.post(f"{PATH}/limits", json=body, token=tokens["startup admin"])
    (limit,) = made.json()["limits"]
    assert (limit["scope"], limit["month_vnd"], limit["alert_percent"]) == ("organisation", 5_000, [50, 80, 100])
    one = f"{PATH}/limits/{limit['id']}"
    assert (await client.request("DELETE", one)).status_code == 401
    assert (await client.request("DELETE", one, token=tokens["rival startup"])).status_code == 404
    assert (await client.get(PATH, token=tokens["rival startup"])).json()["limits"] == []
    assert (await client.request("DELETE", one, token=tokens["startup admin"])).json()["limits"] == []
    assert [each["month_vnd"] for each in await told(database, buyer, "spending:limit")] == [5_000, None]


async def test_each_scope_has_one_limit_of_its_own(client: Client, database: Database, buyer: Buyer) -> None:
    token, person = buyer.sides.tokens["startup admin"], str(buyer.sides.startup.person.id)
    dataset = str(buyer.sides.dataset_id)
    bodies: list[dict[str, Any]] = [
        {"month_vnd": 1},
        {"month_vnd": 2},
        {"month_vnd": 3, "dataset": dataset},
        {"month_vnd": 4, "person_id": person},
    ]
    for body in bodies:
        answer = await client.post(f"{PATH}/limits", json=body, token=token)
        assert answer.status_code == 200
    limits = answer.json()["limits"]
    assert {each["scope"]: each["month_vnd"] for each in limits} == {"organisation": 2, "dataset": 3, "person": 4}
    both = {"month_vnd": 1, "dataset": dataset, "person_id": person}
    refused = await client.post(f"{PATH}/limits", json=both, token=token)
    assert (refused.status_code, refused.json()["code"]) == (400, "spending.limit_scope")
    for stranger in ({"person_id": str(buyer.sides.owner.person.id)}, {"dataset": "no_such"}):
        answer = await client.post(f"{PATH}/limits", json={"month_vnd": 1} | stranger, token=token)
        assert answer.status_code == 404


async def test_each_share_that_is_reached_is_told_once(client: Client, database: Database, buyer: Buyer) -> None:
    await buyer.limit(database, 1_000)
    await buyer.enter(database, 499)
    await tell_reached(database, at=utcnow())
    assert await told(database, buyer, "spending:alert") == []
    await buyer.enter(database, 301)
    await asyncio.gather(*(tell_reached(database, at=utcnow()) for _ in range(32)))
    events = await told(database, buyer, "spending:alert")
    assert [(each["percent"], each["spent_vnd"], each["month_vnd"]) for each in events] == [
        (50, 800, 1_000), (80, 800, 1_000),
    ]  # fmt: skip
    await buyer.enter(database, 200)
    with pytest.raises(LimitReached):
        await buyer.enter(database, 1)
    await tell_reached(database, at=utcnow())
    page = (await client.get(PATH, token=buyer.sides.startup.token)).json()
    assert (page["spent_vnd"], page["queries"]) == (1_000, 3)
    assert [each["percent"] for each in page["alerts"]] == [100, 80, 50]


async def test_another_month_begins_anew(database: Database, buyer: Buyer) -> None:
    await buyer.limit(database, 1_000)
    await buyer.enter(database, 1_000)
    assert await tell_reached(database, at=utcnow() + timedelta(days=62)) == 0
    assert await told(database, buyer, "spending:alert") == []
