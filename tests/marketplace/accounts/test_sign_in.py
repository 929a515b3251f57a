"""Local accounts: sign in and out, failures counted, sessions and their CSRF tokens."""

from __future__ import annotations

import asyncio
import secrets
from types import SimpleNamespace

import msgspec
import pytest
from argon2 import PasswordHasher
from litestar import Request, get, post
from sqlalchemy import select, text

from marketplace.accounts import passwords
from marketplace.accounts.actions import deactivate_person, set_password
from marketplace.accounts.callers import COOKIE, Caller, Operator
from marketplace.accounts.csrf import csrf_of
from marketplace.accounts.devices import known_device, new_device
from marketplace.accounts.errors import PersonInactive, TooManyAttempts, WrongPassword
from marketplace.accounts.models import LoginAttempt, Person
from marketplace.accounts.sign_in import change_password, sign_in, sign_out
from marketplace.config import Config
from marketplace.db.engine import Database
from tests.conftest import ClientFor
from tests.marketplace.parties import Make

PASSWORD = "bốn từ khó đoán"


@get("/who")
async def who(caller: Caller, request: Request[None, None, None]) -> dict[str, str]:  # type: ignore[type-var]
    return {"name": caller.person_name, "csrf": csrf_of(request)}  # type: ignore[arg-type]


@get("/maybe")
async def maybe(maybe_caller: Caller | None) -> dict[str, bool]:
    return {"known": maybe_caller is not None}


@post("/change")
async def change(caller: Caller) -> None:
    caller.require("money")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id as it is, at the least costs: what it should cost is not what is tested here."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def person(database: Database, make: Make) -> Person:
    party = await make.party(database)
    async with database.session() as session:
        await set_password(session, person_id=party.person.id, password=PASSWORD)
    return party.person


@pytest.fixture
def address() -> str:
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture
def strict(config: Config) -> Config:
    return msgspec.structs.replace(config, login_attempts_per_window=3, login_account_attempts_per_window=6)


async def test_a_session_is_opened_stored_hashed_and_ended(
    client_for: ClientFor, database: Database, config: Config, person: Person, address: str
) -> None:
    email = f" {person.email.upper()} "
    cookie = await sign_in(database, config, email=email, password=PASSWORD, address=address)
    async with database.session() as session:
        stored = (await session.execute(text("select w::text from web_session w"))).scalars().all()
    assert cookie not in str(stored)
    async with client_for(who, maybe) as client:
        headers = {"Cookie": f"{COOKIE}={cookie}"}
        assert (await client.get("/who", headers=headers)).json()["name"] == person.name
        await sign_out(database, cookie=cookie)
        await sign_out(database, cookie=cookie)
        ended = await client.get("/who", headers=headers)
        assert (await client.get("/maybe", headers=headers)).json() == {"known": False}
    assert (ended.status_code, ended.json()["code"]) == (401, "auth.session_expired")


async def test_a_session_ends_by_itself(
    client_for: ClientFor, database: Database, config: Config, person: Person, address: str
) -> None:
    short = msgspec.structs.replace(config, session_lifetime_s=0)
    cookie = await sign_in(database, short, email=person.email, password=PASSWORD, address=address)
    async with client_for(who) as client:
        assert (await client.get("/who", headers={"Cookie": f"{COOKIE}={cookie}"})).status_code == 401


async def test_a_browser_must_carry_the_csrf_token_to_change_anything(
    client_for: ClientFor, database: Database, config: Config, person: Person, address: str
) -> None:
    cookie = await sign_in(database, config, email=person.email, password=PASSWORD, address=address)
    other = await sign_in(database, config, email=person.email, password=PASSWORD, address=address)
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    async with client_for(who, change) as client:
        token = (await client.get("/who", headers=headers)).json()["csrf"]
        foreign = (await client.get("/who", headers={"Cookie": f"{COOKIE}={other}"})).json()["csrf"]
        for given in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "é" * 20}, {"X-CSRF-Token": foreign}):
            sent = {key: value.encode() for key, value in {**headers, **given}.items()}
            refused = await client.post("/change", headers=sent)
            assert (refused.status_code, refused.json()["code"]) == (403, "auth.csrf")
        assert (await client.post("/change", headers={**headers, "X-CSRF-Token": token})).status_code == 201
        form = await client.post("/change", headers=headers, data={"csrf_token": token})
        assert form.status_code == 201
        multipart = await client.post("/change", headers=headers, files={"csrf_token": (None, token)})
        assert multipart.status_code == 201


async def test_wrong_passwords_and_unknown_people_get_the_same_answer_and_leave_an_attempt(
    database: Database, config: Config, person: Person, address: str
) -> None:
    for email in (person.email, f"{secrets.token_hex(6)}@example.test"):
        with pytest.raises(WrongPassword):
            await sign_in(database, config, email=email, password="wrong", address=address)
    async with database.session() as session:
        left = (await session.scalars(select(LoginAttempt).where(LoginAttempt.address == address))).all()
    assert len(left) == 2


async def test_after_too_many_failures_even_the_right_password_waits(
    database: Database, strict: Config, person: Person
) -> None:
    for n in range(6):
        with pytest.raises(WrongPassword):
            await sign_in(database, strict, email=person.email, password="wrong", address=f"{person.name}-{n}")
    with pytest.raises(TooManyAttempts) as refused:
        await sign_in(database, strict, email=person.email, password=PASSWORD, address=f"{person.name}-9")
    assert 0 < int(refused.value.headers["Retry-After"]) <= strict.login_window_s


async def test_strangers_shut_out_neither_a_known_browser_nor_from_one_address_a_new_one(
    database: Database, strict: Config, person: Person, address: str
) -> None:
    async def tried(password: str, where: str, device: str | None = None) -> str:
        return await sign_in(database, strict, email=person.email, password=password, address=where, device=device)

    for _ in range(3):
        with pytest.raises(WrongPassword):
            await tried("wrong", address)
    assert await tried(PASSWORD, f"{address}-new")
    for n in range(3):
        with pytest.raises(WrongPassword):
            await tried("wrong", f"{address}-{n}")
    with pytest.raises(TooManyAttempts):
        await tried(PASSWORD, f"{address}-new")
    assert await tried(PASSWORD, address, "device a")
    for _ in range(3):
        with pytest.raises(WrongPassword):
            await tried("wrong", address, "device a")
    with pytest.raises(TooManyAttempts):
        await tried(PASSWORD, f"{address}-new", "device a")
    assert await tried(PASSWORD, address, "device b"), "each by itself"


async def test_strangers_keep_nobody_from_changing_the_password(
    database: Database, strict: Config, make: Make, address: str
) -> None:
    party = await make.party(database)
    async with database.session() as session:
        await set_password(session, person_id=party.person.id, password=PASSWORD)
    for n in range(6):
        with pytest.raises(WrongPassword):
            await sign_in(database, strict, email=party.person.email, password="wrong", address=f"{address}-{n}")
    by = SimpleNamespace(person_id=party.person.id, organisation_id=party.organisation.id)
    await change_password(
        database, strict, by=by, current=PASSWORD, password=f"{PASSWORD} mới", address=f"{address}-0"  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_device_is_known_to_its_account_alone_and_not_for_ever() -> None:
    key, other = secrets.token_bytes(32), secrets.token_bytes(32)
    value = new_device(key, "An@example.test ")
    assert value != new_device(key, "an@example.test")

    def known(email: str, given: str, key: bytes = key, lifetime_s: int = 60) -> str | None:
        return known_device(key, email, given, lifetime_s=lifetime_s)

    assert (known(" an@EXAMPLE.test", value) or "").startswith("device ")
    later = "9" + value
    for wrong in ("", ".", "..", value[:-1], later, value.replace(".", "", 1), "é." + value):
        assert known("an@example.test", wrong) is None
    assert known("binh@example.test", value) is None
    assert known("an@example.test", value, key=other) is None
    assert known("an@example.test", value, lifetime_s=0) is None


async def test_an_address_that_tries_many_people_is_stopped_but_their_owners_are_not(
    database: Database, strict: Config, person: Person, address: str
) -> None:
    for _ in range(3):
        email = f"{secrets.token_hex(6)}@example.test"
        with pytest.raises(WrongPassword):
            await sign_in(database, strict, email=email, password="x", address=address)
    with pytest.raises(TooManyAttempts):
        await sign_in(database, strict, email=person.email, password=PASSWORD, address=address)
    assert await sign_in(database, strict, email=person.email, password=PASSWORD, address=f"{address}-home")


async def test_many_attempts_at_once_are_all_counted(database: Database, strict: Config, address: str) -> None:
    email = f"{secrets.token_hex(6)}@example.test"
    tries = (sign_in(database, strict, email=email, password="x", address=address) for _ in range(8))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    kinds = sorted(type(each).__name__ for each in answers)
    assert kinds == ["TooManyAttempts"] * 5 + ["WrongPassword"] * 3


async def test_good_sign_ins_are_not_counted(
    database: Database, strict: Config, person: Person, address: str
) -> None:
    for _ in range(5):
        assert await sign_in(database, strict, email=person.email, password=PASSWORD, address=address)


async def test_a_deactivated_person_cannot_sign_in(
    database: Database, config: Config, person: Person, make: Make, address: str
) -> None:
    async with database.session() as session:
        operator = await make.caller(session, kind="operator", as_type=Operator)
        await deactivate_person(session, person_id=person.id, by=operator)
    with pytest.raises(PersonInactive):
        await sign_in(database, config, email=person.email, password=PASSWORD, address=address)
