"""Tokens over HTTP: anonymous, another's, without the scope, right; expired, revoked, forged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from litestar import get
from sqlalchemy import select, text

from marketplace.accounts.api import handlers
from marketplace.accounts.callers import Caller
from marketplace.accounts.models import Token
from marketplace.audit.models import Event
from marketplace.db.engine import Database
from tests.conftest import ClientFor
from tests.marketplace.parties import Make


@get("/who")
async def who(caller: Caller) -> dict[str, str]:
    return {"person": str(caller.person_id), "via": caller.via}


async def test_who_may_make_tokens(client_for: ClientFor, database: Database, make: Make) -> None:
    startup = await make.party(database)
    narrow = await make.party(database, scopes=["read", "query"])
    body = {"name": "ci", "scopes": ["read"]}
    async with client_for(*handlers, who) as client:
        assert (await client.post("/api/v1/tokens", json=body)).status_code == 401
        refused = await client.post("/api/v1/tokens", json=body, token=narrow.token)
        assert (refused.status_code, refused.json()["code"]) == (403, "auth.scope_missing")
        made = await client.post("/api/v1/tokens", json=body, token=startup.token)
        assert made.status_code == 201
        assert made.json()["scopes"] == ["read"]
        asked = await client.get("/who", token=made.json()["token"])
        assert asked.json() == {"person": str(startup.person.id), "via": "token"}


async def test_a_token_cannot_give_more_than_it_has(client_for: ClientFor, database: Database, make: Make) -> None:
    party = await make.party(database, scopes=["tokens", "read"])
    async with client_for(*handlers) as client:
        more = await client.post("/api/v1/tokens", json={"name": "x", "scopes": ["money"]}, token=party.token)
        assert (more.status_code, more.json()["code"]) == (403, "auth.scope_missing")
        same = await client.post("/api/v1/tokens", json={"name": "x"}, token=party.token)
        assert same.json()["scopes"] == ["read", "tokens"]


async def test_the_secret_is_shown_once_and_stored_hashed(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    party = await make.party(database)
    async with client_for(*handlers) as client:
        made = (await client.post("/api/v1/tokens", json={"name": "ci"}, token=party.token)).json()
        listed = await client.get("/api/v1/tokens", token=party.token)
        assert (await client.get("/api/v1/tokens")).status_code == 401
    secret = made["token"].split("_", 2)[2]
    assert secret not in listed.text
    assert {each["id"] for each in listed.json()["items"]} > {made["id"]}
    async with database.session() as session:
        row = (
            await session.execute(text("select token::text from token where id = :id"), {"id": made["id"]})
        ).one()
        events = (await session.scalars(select(Event.body).where(Event.name == "token:create"))).all()
    assert secret not in row[0]
    assert secret not in str(events)
    assert made["id"] in str(events)


async def test_who_may_revoke_a_token(client_for: ClientFor, database: Database, make: Make) -> None:
    mine, other = await make.party(database), await make.party(database)
    async with client_for(*handlers, who) as client:
        made = (await client.post("/api/v1/tokens", json={"name": "ci"}, token=mine.token)).json()
        path = f"/api/v1/tokens/{made['id']}"
        assert (await client.delete(path)).status_code == 401
        assert (await client.delete(path, token=other.token)).status_code == 404
        assert (await client.get("/who", token=made["token"])).status_code == 200
        for _ in range(2):
            assert (await client.delete(path, token=mine.token)).status_code == 204
        gone = await client.get("/who", token=made["token"])
    assert (gone.status_code, gone.json()["code"]) == (401, "auth.token_revoked")


async def test_an_expired_token_says_since_when(client_for: ClientFor, database: Database, make: Make) -> None:
    party = await make.party(database)
    async with database.session() as session:
        old = await make.token(session, party.person, lifetime=timedelta(seconds=-1))
    async with client_for(who) as client:
        answer = await client.get("/who", token=old)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.token_expired")
    assert answer.json()["params"]["at"] in answer.json()["messages"]["en"]["why"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("forge", ["flip", "prefix", "shape", "basic", "empty"])
async def test_a_forged_token_is_refused_in_one_way(
    client_for: ClientFor, database: Database, make: Make, forge: str
) -> None:
    good = (await make.party(database)).token
    other = "A" if good[-2] != "A" else "B"
    header = {
        "flip": f"Bearer {good[:-2]}{other}{good[-1]}",
        "prefix": f"Bearer sdl_{'0' * 12}_{good.split('_', 2)[2]}",
        "shape": "Bearer sdl_x",
        "basic": "Basic dXNlcjpwYXNz",
        "empty": "",
    }[forge]
    async with client_for(who) as client:
        answer = await client.get("/who", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.token_invalid")


async def test_a_deactivated_person_has_no_good_token(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    party, operator = await make.party(database), await make.party(database, kind="operator")
    path = f"/api/v1/people/{party.person.id}/deactivate"
    async with client_for(*handlers, who) as client:
        assert (await client.post(path)).status_code == 401
        assert (await client.post(path, token=party.token)).status_code == 403
        assert (await client.get("/who", token=party.token)).status_code == 200
        assert (await client.post(path, token=operator.token)).status_code == 204
        answer = await client.get("/who", token=party.token)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.person_inactive")


async def test_a_person_has_a_limited_number_of_live_tokens(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    party = await make.party(database)
    async with client_for(*handlers) as client:
        codes = [
            (await client.post("/api/v1/tokens", json={"name": str(n)}, token=party.token)).status_code
            for n in range(50)
        ]
    assert codes == [201] * 49 + [409]
    async with database.session() as session:
        rows = (await session.scalars(select(Token.id).where(Token.person_id == party.person.id))).all()
    assert len(rows) == 50
