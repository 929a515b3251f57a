"""Other catalogues over HTTP: the operator's verbs, everybody's list."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from marketplace.audit.models import Event
from marketplace.db.engine import Database
from marketplace.harvest.api import handlers
from tests.marketplace.api import Client, small_app
from tests.marketplace.harvest.conftest import Elsewhere, Harvester
from tests.marketplace.parties import Make

PATH = "/api/v1/harvest/sources"


@pytest.fixture
async def client(harvester: Harvester) -> AsyncIterator[Client]:
    app = small_app(handlers, database=harvester.database, config=harvester.config)
    async with AsyncTestClient(app, raise_server_exceptions=False) as http:
        yield Client(http)


async def test_the_operator_adds_reads_and_stops_a_source_and_nobody_else_does(
    client: Client, harvester: Harvester, elsewhere: Elsewhere, database: Database, make: Make
) -> None:
    word = secrets.token_hex(5)
    elsewhere.answer(document=f'{{"dataset": [{{"identifier": "{word}", "title": "Bảng {word}"}}]}}')
    body = {"url": f"{elsewhere.url}/{word}", "kind": "data_json", "name": f"Nguồn {word}"}
    operator, owner = await make.party(database, kind="operator"), await make.party(database, kind="owner")
    assert (await client.post(PATH, json=body)).status_code == 401
    assert (await client.post(PATH, json=body, token=owner.token)).status_code == 403
    inward = await client.post(PATH, json={**body, "url": "http://10.0.0.1/x"}, token=operator.token)
    assert (inward.status_code, inward.json()["code"]) == (422, "harvest.address_refused")
    made = await client.post(PATH, json=body, token=operator.token)
    assert made.status_code == 201, made.text
    source = made.json()
    twice = await client.post(PATH, json=body, token=operator.token)
    assert (twice.status_code, twice.json()["code"]) == (409, "harvest.source_known")

    one = f"{PATH}/{source['id']}"
    for sent, status in ((None, 401), (owner.token, 403), (operator.token, 202)):
        assert (await client.post(f"{one}/runs", token=sent)).status_code == status
    run = await harvester.look(UUID(source["id"]))
    for sent, status in ((None, 401), (owner.token, 403)):
        assert (await client.get(f"{one}/runs", token=sent)).status_code == status
    (report,) = (await client.get(f"{one}/runs", token=operator.token)).json()["items"]
    assert (report["id"], report["state"], report["new"]) == (str(run.id), "done", 1)
    (listed,) = (await client.get(f"/api/v1/external?q=bang {word}")).json()["items"]
    assert (listed["external"], listed["source_name"], listed["title"]) == (True, body["name"], f"Bảng {word}")

    for sent, status in ((None, 401), (owner.token, 403), (operator.token, 204), (operator.token, 404)):
        assert (await client.delete(one, token=sent)).status_code == status
    assert (await client.get(f"/api/v1/external?q={word}")).json()["items"] == []
    assert (await client.post(f"{one}/runs", token=operator.token)).status_code == 404
    async with database.session() as session:
        names = await session.scalars(select(Event.name).where(Event.body["source"].astext == source["id"]))
    assert sorted(names) == ["harvest:add", "harvest:run", "harvest:stop"]
