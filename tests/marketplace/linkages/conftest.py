"""Two owners who know the same persons, one who does not, and the files that they send."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from msgspec import Struct

from catalog.storage import Store
from marketplace.agreements.api import handlers as agreement_handlers
from marketplace.config import Config
from marketplace.consents.api import handlers as consent_handlers
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.linkages.api import handlers
from marketplace.listings.api import handlers as listing_handlers
from marketplace.listings.press import Press
from policies.wasm import WasmEngine
from tests.catalog.joint.halves import BANK, BANK_HEADER, CLINIC, CLINIC_HEADER, clients, patients
from tests.catalog.plain import in_process
from tests.catalog.small import Row, write
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.parties import Make, Party

BOTH = range(50, 150)


class Pair(Struct, frozen=True, kw_only=True):
    """The clinic leads, the bank is its partner; `rival` is an owner who has no part in it."""

    client: Client
    folder: Path
    slug: str
    clinic: Party
    bank: Party
    rival: Party

    def manifest(self, side: Party, **changed: str) -> str:
        """Of that side's part; `changed`: other words by what they replace."""
        text = CLINIC if side is self.clinic else BANK
        owner = "owner: clinic" if side is self.clinic else "owner: bank"
        words = {
            owner: f"owner: {side.organisation.slug}", "slug: joint": f"slug: {self.slug}",
            "population: nobody": f"population: {self.slug}", "law: test": "law: personal-data-law-91-2025",
        } | changed  # fmt: skip
        for old, new in words.items():
            text = text.replace(old, new)
        return text

    async def propose(self, **changed: Any) -> Response:
        asked = {
            "partner": self.bank.organisation.slug, "population": self.slug,
            "purposes": ["research.academic", "product.rnd"], "lead_basis_points": 6_000,
        }  # fmt: skip
        return await self.client.post("/api/v1/linkages", token=self.clinic.token, json=asked | changed)

    async def approved(self) -> str:
        """A linkage that both want; its id."""
        linkage: str = (await self.propose()).json()["id"]
        answer = await self.decide(linkage, self.bank)
        assert answer.json()["state"] == "approved", answer.text
        return linkage

    async def decide(self, linkage: str, by: Party, decision: str = "approve", reason: str = "") -> Response:
        said = {"decision": decision, "reason": reason}
        return await self.client.post(f"/api/v1/linkages/{linkage}/decision", token=by.token, json=said)

    async def send(self, linkage: str, side: Party, numbers: Sequence[int], **changed: str) -> Response:
        """That side's part: persons with these numbers."""
        rows: list[Row] = patients(numbers) if side is self.clinic else clients(numbers)
        header = CLINIC_HEADER if side is self.clinic else BANK_HEADER
        file = write(self.folder / f"{secrets.token_hex(4)}.csv", rows, header)
        parts = {"manifest": ("m.yaml", self.manifest(side, **changed)), "file": ("f.csv", file.read_bytes())}
        return await self.client.post(f"/api/v1/linkages/{linkage}/contributions", token=side.token, files=parts)

    async def read(self, linkage: str, by: Party) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get(f"/api/v1/linkages/{linkage}", token=by.token)).json()
        return found

    async def agree(self, linkage: str, by: Party) -> Response:
        """Say yes to what the other side has sent now."""
        sent = (await self.read(linkage, by))["contributions"]
        other = next(each["id"] for each in sent if each["owner"] != by.organisation.slug)
        said = {"contribution": other}
        return await self.client.post(f"/api/v1/linkages/{linkage}/publication", token=by.token, json=said)

    async def join(self, linkage: str, ours: Sequence[int], theirs: Sequence[int]) -> Response:
        """Both send, both agree; the answer to the second."""
        for side, numbers in ((self.clinic, ours), (self.bank, theirs)):
            answer = await self.send(linkage, side, numbers)
            assert answer.status_code == 201, answer.text
        first = await self.agree(linkage, self.clinic)
        assert first.json() == {"released": None, "joined": None}
        return await self.agree(linkage, self.bank)

    async def released(self) -> tuple[str, dict[str, Any]]:
        """An approved linkage with a first version: its id, and what was released."""
        linkage = await self.approved()
        answer = await self.join(linkage, range(150), range(50, 200))
        assert answer.status_code == 200, answer.text
        return linkage, answer.json()


@pytest.fixture(autouse=True)
def jails_in_process() -> Iterator[None]:
    """Real jails make the joint version in tests/catalog/joint."""
    with in_process():
        yield


@pytest.fixture(scope="session")
async def press(config: Config, database: Database) -> AsyncIterator[Press]:
    engine = WasmEngine()
    store, keys = Store(config.path("store")), Keys(config.path("keys"))
    yield Press(config=config, database=database, store=store, keys=keys, engine=engine)
    await engine.close()


@pytest.fixture(scope="session")
async def owners(database: Database) -> tuple[Party, Party, Party]:
    """Clinic, bank and a rival, for all tests: what is named anew in each is the population."""
    clinic, bank, rival = [await Make().party(database, kind="owner") for _ in range(3)]
    return clinic, bank, rival


def pair_of(owners: tuple[Party, Party, Party], client: Client, folder: Path) -> Pair:
    """With persons whom nobody has linked yet."""
    clinic, bank, rival = owners
    slug = f"joint_{secrets.token_hex(5)}"
    return Pair(client=client, folder=folder, slug=slug, clinic=clinic, bank=bank, rival=rival)


@pytest.fixture
async def client(press: Press, client_for: ClientFor) -> AsyncIterator[Client]:
    every = (*handlers, *listing_handlers, *agreement_handlers, *consent_handlers)
    async with client_for(*every, store=press.store, keys=press.keys, engine=press.engine) as opened:
        yield opened


@pytest.fixture
def pair(owners: tuple[Party, Party, Party], client: Client, tmp_path: Path) -> Pair:
    return pair_of(owners, client, tmp_path)
