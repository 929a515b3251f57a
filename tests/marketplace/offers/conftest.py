"""Both sides and their dataset, and a client of what they do with offers and applications."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from marketplace.agreements.api import handlers as agreement_handlers
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.offers.api import handlers
from policies.engine import Engine
from policies.wasm import WasmEngine
from tests.conftest import ClientFor
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.api import Client


@pytest.fixture
async def sides(database: Database) -> Sides:
    return await open_sides(database)


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[Engine]:
    opened = WasmEngine()
    yield opened
    await opened.close()


@pytest.fixture
async def client(client_for: ClientFor, config: Config, engine: Engine) -> AsyncIterator[Client]:
    async with client_for(*handlers, *agreement_handlers, engine=engine, keys=Keys(config.path("keys"))) as opened:
        yield opened
