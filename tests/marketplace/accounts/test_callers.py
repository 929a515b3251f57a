"""What a caller may do is a type: every kind of organisation and role against every dependency."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import get
from litestar.handlers import HTTPRouteHandler

from marketplace.accounts.callers import (
    COOKIE,
    Analyst,
    Approver,
    Caller,
    Operator,
    Owner,
    Reader,
    Startup,
    StartupAdmin,
    Steward,
)
from marketplace.accounts.models import Organisation
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from tests.conftest import ClientFor
from tests.marketplace.parties import Make

WHO_MAY = {
    "startup": {("startup", "admin"), ("startup", "analyst"), ("startup", "")},
    "analyst": {("startup", "analyst")},
    "startup_admin": {("startup", "admin")},
    "owner": {("owner", "steward"), ("owner", "approver"), ("owner", "")},
    "steward": {("owner", "steward")},
    "approver": {("owner", "approver")},
    "reader": {("regulator", "reader")},
    "operator": {("operator", "operator")},
}
EVERYBODY = sorted(set().union(*WHO_MAY.values()) | {("regulator", ""), ("operator", "")})


@get("/startup")
async def as_startup(startup: Startup) -> str:
    return type(startup).__name__


@get("/analyst")
async def as_analyst(analyst: Analyst) -> str:
    return type(analyst).__name__


@get("/startup_admin")
async def as_startup_admin(startup_admin: StartupAdmin) -> str:
    return type(startup_admin).__name__


@get("/owner")
async def as_owner(owner: Owner) -> str:
    return type(owner).__name__


@get("/steward")
async def as_steward(steward: Steward) -> str:
    return type(steward).__name__


@get("/approver")
async def as_approver(approver: Approver) -> str:
    return type(approver).__name__


@get("/reader")
async def as_reader(reader: Reader) -> str:
    return type(reader).__name__


@get("/operator")
async def as_operator(operator: Operator) -> str:
    return type(operator).__name__


@get("/both")
async def both(caller: Caller, analyst: Analyst) -> bool:
    return caller.person_id == analyst.person_id


DOORS: list[HTTPRouteHandler] = [
    as_startup, as_analyst, as_startup_admin, as_owner, as_steward, as_approver, as_reader, as_operator,
]  # fmt: skip


@pytest.mark.parametrize(("kind", "role"), EVERYBODY)
async def test_each_door_opens_for_its_own_only(
    client_for: ClientFor, database: Database, make: Make, kind: str, role: str
) -> None:
    party = await make.party(database, kind=kind, roles=[role] if role else [])
    async with client_for(*DOORS) as client:
        opened: dict[str, Any] = {}
        for door in WHO_MAY:
            opened[door] = (await client.get(f"/{door}", token=party.token)).status_code
            assert (await client.get(f"/{door}")).status_code == 401
    assert opened == {door: 200 if (kind, role) in may else 403 for door, may in WHO_MAY.items()}


async def test_a_handler_may_ask_twice_and_the_caller_is_found_in_one_query(
    client_for: ClientFor, database: Database, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = await make.party(database)
    asked = 0
    one = database.one

    async def counted(*arguments: Any) -> Any:
        nonlocal asked
        asked += 1
        return await one(*arguments)

    monkeypatch.setattr(database, "one", counted)
    async with client_for(both) as client:
        assert (await client.get("/both", token=party.token)).json() is True
    assert asked == 1


@get("/maybe")
async def maybe(maybe_caller: Caller | None) -> bool:
    return maybe_caller is not None


async def test_a_public_page_tells_a_bad_token_but_shrugs_at_an_old_cookie(client_for: ClientFor) -> None:
    async with client_for(maybe) as client:
        assert (await client.get("/maybe")).json() is False
        assert (await client.get("/maybe", headers={"Cookie": f"{COOKIE}=old"})).json() is False
        assert (await client.get("/maybe", headers={"Authorization": "Bearer x"})).status_code == 401


async def test_a_suspended_operator_operates_nothing(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    party = await make.party(database, kind="operator")
    async with database.session() as session:
        organisation = await session.get_one(Organisation, party.organisation.id)
        organisation.suspended_at = utcnow()
    async with client_for(*DOORS) as client:
        answer = await client.get("/operator", token=party.token)
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.organisation_suspended")
