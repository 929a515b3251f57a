"""Another catalogue that runs, and sources that are looked at there and then."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from msgspec import Struct
from sqlalchemy import select, update

from marketplace.accounts.callers import Operator
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.harvest.actions import add_source, make_due
from marketplace.harvest.models import ExternalListing, HarvestRun, HarvestSource
from marketplace.harvest.running import run_next
from marketplace.harvest.schemas import NewSourceBody
from tests.marketplace.parties import Make

ROOT = Path(__file__).resolve().parents[3]


class Elsewhere(Struct, frozen=True):
    url: str

    def answer(self, **state: Any) -> None:
        """How it behaves from now on; what it saw before is forgotten."""
        httpx.post(self.url, json=state).raise_for_status()

    def seen(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = httpx.get(f"{self.url}/seen").json()
        return found

    def paths(self) -> list[str]:
        return [each["path"] for each in self.seen() if each["path"] != "/robots.txt"]


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    command = [sys.executable, "-m", "tests.marketplace.harvest.elsewhere"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield Elsewhere(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()


class Harvester:
    """Adds sources under addresses of their own, and looks at one of them."""

    def __init__(self, database: Database, config: Config, by: Operator) -> None:
        self.database, self.by = database, by
        self.config = msgspec.structs.replace(config, harvest_allowed_hosts="127.0.0.1", harvest_pause_ms=0)

    async def add(self, url: str, kind: str) -> UUID:
        """Its id."""
        asked = msgspec.convert({"url": url, "kind": kind, "name": secrets.token_hex(4)}, NewSourceBody)
        async with self.database.session() as session:
            return await add_source(session, asked=asked, by=self.by, at=utcnow(), config=self.config)

    async def look(self, source_id: UUID, **changed: Any) -> HarvestRun:
        """At this source alone, now; the report. `changed`: of the configuration."""
        async with self.database.session() as session:
            await session.execute(update(HarvestSource).where(HarvestSource.id != source_id).values(due_at=None))
            await make_due(session, source_id=source_id, at=utcnow())
        run_id = await run_next(self.database, msgspec.structs.replace(self.config, **changed))
        async with self.database.session() as session:
            run = await session.get_one(HarvestRun, run_id)
        assert run.source_id == source_id
        return run

    async def listings(self, source_id: UUID) -> dict[str, ExternalListing]:
        async with self.database.session() as session:
            rows = select(ExternalListing).where(ExternalListing.source_id == source_id)
            return {row.foreign_id: row for row in await session.scalars(rows)}


@pytest.fixture
async def harvester(database: Database, config: Config, make: Make) -> Harvester:
    async with database.session() as session:
        organisation = await make.organisation(session, kind="operator")
        person = await make.person(session, organisation)
    by = make.caller_of(organisation, person, Operator)
    assert isinstance(by, Operator)
    return Harvester(database, config, by)


def counts(run: HarvestRun) -> tuple[int, int, int, int, int, int]:
    """new, changed, unchanged, returned, vanished, refused"""
    return run.new, run.changed, run.unchanged, run.returned, run.vanished, run.refused
