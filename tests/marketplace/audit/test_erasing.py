"""A person is erased: name and e-mail are nowhere any more, and every proof of the log still holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from marketplace.accounts.actions import create_person, deactivate_person, erase_person, suspend_organisation
from marketplace.accounts.api import handlers
from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import LastOperator
from marketplace.accounts.models import Person
from marketplace.audit.actions import record
from marketplace.audit.canonical import exact
from marketplace.audit.commitment import commitment
from marketplace.audit.models import Event, EventSalt
from marketplace.audit.reads import event_of
from marketplace.db.engine import Database
from tests.conftest import ClientFor
from tests.marketplace.audit.conftest import Log
from tests.marketplace.parties import Make

EMAIL = "nguyen.thi.hoa@example.test"
NAME = "Nguyễn Thị Hoa"
Ending = Callable[..., Awaitable[None]]
ROW = text("INSERT INTO organisation (id, kind, name, slug, created_at) VALUES (:id, :kind, 'S', :slug, now())")


async def entered(log: Log, email: str = EMAIL) -> tuple[UUID, UUID]:
    organisation_id = uuid4()
    async with log.database.session() as session:
        await session.execute(ROW, {"id": organisation_id, "slug": organisation_id.hex, "kind": "startup"})
        person = await create_person(
            session, organisation_id=organisation_id, email=email, name=NAME, roles=["analyst"]
        )
    return organisation_id, person


def operator() -> Caller:
    return Caller(
        person_id=uuid4(), organisation_id=uuid4(), organisation_kind="operator", via="token",
        organisation_name="O", person_name="P", organisation_suspended=False, roles=("operator",),
        scopes=("tokens",),
    )  # fmt: skip


async def told(log: Log, name: str) -> tuple[Event, EventSalt]:
    async with log.database.session() as session:
        found = await session.execute(
            select(Event, EventSalt).join(EventSalt, EventSalt.event_id == Event.id).where(Event.name == name)
        )
        event, salt = found.one()
        return event, salt


async def operators(log: Log, *names: str) -> tuple[UUID, list[UUID]]:
    """The only ones who run this exchange."""
    organisation_id = uuid4()
    async with log.database.session() as session:
        await session.execute(text("UPDATE person SET deactivated_at = now() WHERE roles = '{operator}'"))
        await session.execute(ROW, {"id": organisation_id, "slug": organisation_id.hex, "kind": "operator"})
        made = [
            await create_person(
                session, organisation_id=organisation_id, email=f"{each}@{organisation_id}.test", name=each,
                roles=["operator"],
            )
            for each in names
        ]  # fmt: skip
    return organisation_id, made


@pytest.mark.parametrize("end", [erase_person, deactivate_person])
async def test_the_last_operator_stays_also_where_two_end_each_other_at_once(log: Log, end: Ending) -> None:
    organisation_id, (one, other) = await operators(log, "a", "b")

    async def ended(person_id: UUID) -> None:
        async with log.database.session() as session:
            await end(session, person_id=person_id, by=operator())

    done = await asyncio.gather(ended(one), ended(other), return_exceptions=True)
    assert {type(each) for each in done} == {LastOperator, type(None)}
    with pytest.raises(LastOperator):
        async with log.database.session() as session:
            await suspend_organisation(session, organisation_id=organisation_id, reason="x", by=operator())
    await ended(one if done[0] is None else other)


async def test_erasing_destroys_the_salts_and_the_clear_values_and_nothing_that_is_proven(log: Log) -> None:
    _, person = await entered(log)
    await log.sequence()
    event, salt = await told(log, "person:create")
    for field, value in (("email", EMAIL), ("name", NAME)):
        opened = commitment(bytes.fromhex(salt.secrets[field]), value).hex()
        assert opened == event.body[f"{field}_commitment"], "until then the log proves who it was"
    async with log.database.session() as session:
        for _ in range(2):
            await erase_person(session, person_id=person, by=operator())
    await log.sequence()
    after, salt = await told(log, "person:create")
    assert salt.secrets == {}
    assert commitment(salt.salt, exact(event_of(after))) == after.commitment == event.commitment
    erased, _ = await told(log, "person:erase")
    assert erased.body["commitments"] == 2
    async with log.database.session() as session:
        row = await session.get_one(Person, person)
    assert (row.name, row.password_hash, row.deactivated_at is None) == ("—", None, False)
    assert await log.findings() == ()
    await nowhere(log, EMAIL, NAME)
    await entered(log)


async def test_an_erasure_reads_the_events_of_its_hour_not_the_whole_log(log: Log) -> None:
    """Looking through the log for what names a party has no index; when a person was entered has one."""
    _, person = await entered(log, "hour@example.test")
    for n in range(20):
        async with log.database.session() as session:
            await record(session, "test:event", body={"n": n})
    log.tamper("UPDATE event SET at = at - interval '2 days' WHERE name = 'test:event'")
    read = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'event'")
    async with log.database.session() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        before = await session.scalar(read)
        await erase_person(session, person_id=person, by=operator())
        assert await session.scalar(read) - before < 20
    _, salt = await told(log, "person:create")
    assert salt.secrets == {}


async def test_an_erasure_finds_what_a_wrong_clock_put_elsewhere(log: Log) -> None:
    _, person = await entered(log, "clock@example.test")
    log.tamper("UPDATE event SET at = at - interval '2 days' WHERE name = 'person:create'")
    async with log.database.session() as session:
        await erase_person(session, person_id=person, by=operator())
    _, salt = await told(log, "person:create")
    assert salt.secrets == {}


async def nowhere(log: Log, *values: str) -> None:
    """In no row of any table."""
    async with log.database.session() as session:
        tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for table in tables.all():
            for value in values:
                found = text(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE :value')
                assert await session.scalar(found, {"value": f"%{value}%"}) == 0, (table, value)


async def test_only_the_operator_erases(client_for: ClientFor, database: Database, make: Make) -> None:
    party, regulator = await make.party(database), await make.party(database, kind="regulator")
    operating = await make.party(database, kind="operator")
    path = f"/api/v1/people/{party.person.id}/erase"
    async with client_for(*handlers) as client:
        assert (await client.post(path)).status_code == 401
        for token in (party.token, regulator.token):
            assert (await client.post(path, token=token)).status_code == 403
        assert (await client.post(f"/api/v1/people/{uuid4()}/erase", token=operating.token)).status_code == 404
        assert (await client.post(path, token=operating.token)).status_code == 204
        assert (await client.get("/api/v1/tokens", token=party.token)).status_code == 401
