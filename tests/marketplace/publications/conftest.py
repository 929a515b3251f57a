"""An owner with a steward and an approver, a file, and everybody who has no business with it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from httpx import Response
from msgspec import Struct
from sqlalchemy import update

from catalog.storage import Store
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.listings import api as listings_api
from marketplace.listings.press import Press
from marketplace.publications import api as publications_api
from marketplace.publications.models import PublicationRow
from marketplace.publications.tasks import CHECKLISTS, due
from policies.wasm import WasmEngine
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.listings.conftest import Shop
from tests.marketplace.parties import Make

REASON = "Vì một lý do."


class Desk(Struct, frozen=True, kw_only=True):
    """`tokens`: of steward, approver, both (who has both offices), operator, rival and startup."""

    client: Client
    press: Press
    shop: Shop
    tokens: dict[str, str]
    people: dict[str, UUID]

    async def send(self, who: str = "steward", *, persons: int = 400, **more: Any) -> Response:
        file = self.shop.file(persons)
        files = {
            "manifest": ("m.yaml", more.pop("manifest", self.shop.manifest())),
            "file": (file.name, file.read_bytes()),
            **({"suite": ("suite.json", more.pop("suite"))} if "suite" in more else {}),
        }
        return await self.client.post("/api/v1/publications", token=self.tokens.get(who), files=files, **more)

    async def step(self, publication: str, who: str, verb: str, **more: Any) -> Response:
        state = (await self.read(publication))["state"]
        body = {"verb": verb, "reason": REASON, "checklist": CHECKLISTS.get(state, ()), **more}
        path = f"/api/v1/publications/{publication}/steps"
        return await self.client.post(path, token=self.tokens.get(who), json=body)

    async def read(self, publication: str) -> dict[str, Any]:
        answer = await self.client.get(f"/api/v1/publications/{publication}", token=self.tokens["both"])
        found: dict[str, Any] = answer.json()
        return found

    async def put(self, state: str, *, state_class: str = "internal") -> str:
        """A publication in that state, as rows only."""
        owner, at = self.shop.owner.organisation.id, utcnow()
        row = PublicationRow(
            id=new_id(), organisation_id=owner, slug=f"d_{secrets.token_hex(6)}", manifest="slug: x",
            source_name="", source_bytes=1, source_sha256="00" * 32, state=state, overrides=[],
            sent_by=self.people["steward"], via="api", sent_at=at, has_files=False, changed_at=at,
            due_at=due(state, at), state_class=state_class, personal_class="basic",
        )  # fmt: skip
        async with self.press.database.session() as session:
            session.add(row)
        return str(row.id)

    async def set(self, publication: str, **values: Any) -> None:
        async with self.press.database.session() as session:
            await session.execute(
                update(PublicationRow).where(PublicationRow.id == UUID(publication)).values(**values)
            )


@pytest.fixture(scope="session")
async def press(config: Config, database: Database) -> AsyncIterator[Press]:
    engine = WasmEngine()
    yield Press(
        config=config, database=database, store=Store(config.path("store")), keys=Keys(config.path("keys")),
        engine=engine,
    )  # fmt: skip
    await engine.close()


@pytest.fixture
async def desk(
    client_for: ClientFor, press: Press, database: Database, make: Make, tmp_path: Path
) -> AsyncIterator[Desk]:
    owner = await make.party(database, kind="owner")
    tokens, people = {"both": owner.token}, {"both": owner.person.id}
    for kind in ("operator", "startup"):
        tokens[kind] = (await make.party(database, kind=kind)).token
    tokens["rival"] = (await make.party(database, kind="owner")).token
    async with database.session() as session:
        for role in ("steward", "approver"):
            person = await make.person(session, owner.organisation, roles=[role])
            tokens[role], people[role] = await make.token(session, person), person.id
    shop = Shop(owner=owner, slug=f"gplx_{secrets.token_hex(5)}", folder=tmp_path)
    handlers = (*publications_api.handlers, *listings_api.handlers)
    async with client_for(*handlers, store=press.store, keys=press.keys, engine=press.engine) as client:
        yield Desk(client=client, press=press, shop=shop, tokens=tokens, people=people)
