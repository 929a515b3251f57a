"""Both sides of an agreement, their rivals, and a listed dataset, committed, as HTTP tests need them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import Struct

from marketplace.agreements.api import handlers
from marketplace.agreements.models import Agreement, Application
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from policies.engine import Engine
from policies.wasm import WasmEngine
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.listed import list_dataset
from tests.marketplace.parties import Make, Party

TERMS = {
    "purpose": "research.academic",
    "justification": "Thống kê gộp theo trình độ học vấn, không tái định danh ai.",
    "duration_days": 30,
}


class Sides(Struct, frozen=True, kw_only=True):
    """Everybody who may knock: each `Party` has one person, named by what that person may do."""

    tokens: dict[str, str | None]
    startup: Party
    owner: Party
    rival: Party
    rival_owner: Party
    dataset_id: UUID

    async def application(self, database: Database, *, state: str = "submitted") -> UUID:
        """An application that stands in that state."""
        application = Application(
            id=new_id(), dataset_id=self.dataset_id, owner_id=self.owner.organisation.id,
            startup_id=self.startup.organisation.id, applicant_id=self.startup.person.id, purpose=TERMS["purpose"],
            justification=TERMS["justification"], duration_days=30, people=[self.startup.person.id], state=state,
        )  # fmt: skip
        async with database.session() as session:
            session.add(application)
        return application.id

    async def agreement(self, database: Database, *, state: str = "in_force") -> UUID:
        """An agreement that stands in that state."""
        now = utcnow()
        agreement = Agreement(
            id=new_id(), application_id=await self.application(database, state="accepted"),
            dataset_id=self.dataset_id, owner_id=self.owner.organisation.id,
            startup_id=self.startup.organisation.id, purpose="research.academic",
            people=[self.startup.person.id], columns=["sex"], valid_from=now - timedelta(days=10),
            expires_at=now + timedelta(days=-1 if state == "expired" else 10),
            ended_at=now if state == "ended" else None,
        )  # fmt: skip
        async with database.session() as session:
            session.add(agreement)
        return agreement.id


@pytest.fixture(scope="session")
async def sides(database: Database) -> Sides:
    return await open_sides(database)


@pytest.fixture
async def apart(database: Database) -> Sides:
    """For whoever applies: nobody has before."""
    return await open_sides(database)


async def open_sides(database: Database) -> Sides:
    """Fresh parties and a fresh dataset."""
    make = Make()
    startup, owner = await make.party(database), await make.party(database, kind="owner")
    rival, rival_owner = await make.party(database), await make.party(database, kind="owner")
    regulator = await make.party(database, kind="regulator")
    operator = await make.party(database, kind="operator")
    tokens: dict[str, str | None] = {
        "nobody": None, "regulator": regulator.token, "operator": operator.token,
        "rival startup": rival.token, "rival owner": rival_owner.token,
    }  # fmt: skip
    roles = {"startup": (startup, ("admin", "analyst")), "owner": (owner, ("steward", "approver"))}
    async with database.session() as session:
        for kind, (party, names) in roles.items():
            for role in names:
                person = await make.person(session, party.organisation, roles=[role])
                tokens[f"{kind} {role}"] = await make.token(session, person)
        dataset = await list_dataset(session, owner.organisation, owner.person)
    return Sides(
        tokens=tokens, startup=startup, owner=owner, rival=rival, rival_owner=rival_owner, dataset_id=dataset.id
    )


@pytest.fixture(scope="session")
async def engine() -> AsyncIterator[Engine]:
    opened = WasmEngine()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def keys(config: Config) -> Keys:
    return Keys(config.path("keys"))


@pytest.fixture
async def client(client_for: ClientFor, engine: Engine, keys: Keys) -> AsyncIterator[Client]:
    async with client_for(*handlers, engine=engine, keys=keys) as opened:
        yield opened
