"""A person is erased: name and e-mail are nowhere any more, and every proof of the log still holds."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select, text

from marketplace.accounts.actions import create_person, erase_person
from marketplace.accounts.api import handlers
from marketplace.accounts.callers import Caller
from marketplace.accounts.models import Person
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
ROW = text(
    "INSERT INTO organisation (id, kind, name, slug, created_at) VALUES (:id, 'startup', 'S', :slug, now())"
)


async def entered(log: Log) -> tuple[UUID, UUID]:
    organisation_id = uuid4()
    async with log.database.session() as session:
        await session.execute(ROW, {"id": organisation_id, "slug": organisation_id.hex})
        person = await create_person(
            session, organisation_id=organisation_id, email=EMAIL, name=NAME, roles=["analyst"]
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
