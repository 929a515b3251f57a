"""A small register of licences that an owner can really publish: a CSV, its manifest, and the press."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct

from catalog.storage import Store
from marketplace.accounts.senders import Sender
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.listings.api import handlers
from marketplace.listings.press import Press
from policies.wasm import WasmEngine
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.parties import Make, Party

MANIFEST = """
slug: {slug}
title: {{vi: Giấy phép lái xe {slug}, en: Driving licences}}
description: {{vi: Bộ sinh để kiểm thử., en: Generated for tests.}}
owner: {owner}
licence: CC0-1.0
source: tests
themes: [giao thông]
spatial: VN
temporal: 2025
update_frequency: yearly
population: {population}
privacy_unit: column
subject_key: so
mode: {mode}
k: 5
legal_basis: {{kind: consent, law: personal-data-law-91-2025}}
purposes: [research.academic, public.service]
consent: {{research.academic: dong_y}}
offer: {{base_vnd: {base_vnd}, per_gb_vnd: 200000}}
columns:
  - {{name: so, role: identifier}}
  - {{name: tinh, role: quasi-identifier, personal: basic, meaning: {{vi: Tỉnh, en: Province}}}}
  - {{name: hang, role: quasi-identifier, personal: basic, meaning: {{vi: Hạng, en: Class}}}}
  - {{name: loi, role: {loi}, type: integer, personal: basic, meaning: {{vi: Số lỗi, en: Offences}}{clamp}}}
"""


class Shop(Struct, frozen=True, kw_only=True):
    """An owner with a dataset's name of its own, and the files to publish it."""

    owner: Party
    slug: str
    folder: Path

    @property
    def by(self) -> Sender:
        return Sender(person_id=self.owner.person.id, organisation_id=self.owner.organisation.id)

    def manifest(self, *, mode: str = "rows", base_vnd: int = 1000, **changed: str) -> str:
        """The manifest's text; rows mode has the offences as a sensitive column, aggregate as a measure."""
        loi, clamp = ("sensitive", "") if mode == "rows" else ("measure", ", transform: {clamp: [0, 12]}")
        names = {"slug": self.slug, "owner": self.owner.organisation.slug, "population": self.slug, **changed}
        return MANIFEST.format(mode=mode, base_vnd=base_vnd, loi=loi, clamp=clamp, **names)

    def file(self, persons: int = 400) -> Path:
        """The register as CSV: persons 0, 1, … of whom every fourth did not consent."""
        lines = ["so,tinh,hang,loi,dong_y"]
        for i in range(persons):
            province, kind, consents = ("Huế", "Hà Nội")[i % 2], ("B2", "A1", "A1")[i % 3], str(i % 4 > 0).lower()
            offences = i % (5 if kind == "B2" else 7)
            lines.append(f"P{i:05d},{province},{kind},{offences},{consents}")
        path = self.folder / f"{self.slug}-{persons}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


@pytest.fixture(scope="session")
async def press(config: Config, database: Database) -> AsyncIterator[Press]:
    engine = WasmEngine()
    yield Press(
        config=config,
        database=database,
        store=Store(config.path("store")),
        keys=Keys(config.path("keys")),
        engine=engine,
    )
    await engine.close()


@pytest.fixture
async def shop(database: Database, tmp_path: Path) -> Shop:
    owner = await Make().party(database, kind="owner")
    return Shop(owner=owner, slug=f"gplx_{secrets.token_hex(5)}", folder=tmp_path)


@pytest.fixture
async def client(client_for: ClientFor, press: Press) -> AsyncIterator[Client]:
    async with client_for(*handlers, store=press.store, keys=press.keys, engine=press.engine) as opened:
        yield opened
