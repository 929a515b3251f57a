"""The consent register: a million events from a file beside plain COPY, and how soon a withdrawal is answered."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from msgspec import Struct
from sqlalchemy import text

from bench.figure import figure, quantile
from bench.home import fresh_home
from catalog.storage import Store
from catalog.subjects import sort_order, write_subjects
from catalog.version import LeftOut, Measured, Version
from marketplace.accounts.callers import Owner
from marketplace.accounts.models import Organisation, Person
from marketplace.accounts.senders import Sender
from marketplace.config import Config
from marketplace.consents.actions import record_consent_event
from marketplace.consents.imports import Importing, import_events
from marketplace.consents.subjects import pseudonym
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.listings.models import Dataset, DatasetVersion, Lineage
from marketplace.listings.standing import read_register

EVENTS = 1_000_000
PERSONS = 100_000
WITHDRAWN = 10_000
SINGLE = 200
PURPOSES = ("research.academic", "product.rnd")


class Place(Struct, frozen=True, kw_only=True):
    """A dataset with one version of PERSONS in cohorts of ten, and whom it belongs to."""

    parts: Importing
    owner: Owner
    dataset_id: UUID
    folder: Path


async def figures() -> list[dict[str, Any]]:
    """On a fresh embedded database with fsync on."""
    async with fresh_home(connections=8) as (config, database):
        place = await _place(config, database)
        return [*await _imports(place), *await _reading(place), *await _withdrawals(place)]


async def _place(config: Config, database: Database) -> Place:
    store, keys = Store(config.path("store")), Keys(config.path("keys"))
    owner = Organisation(id=new_id(), kind="owner", name="O", slug="o")
    person = Person(id=new_id(), organisation_id=owner.id, email="o@bench.example", name="P", roles=["steward"])
    lineage = Lineage(id=new_id(), owner_id=owner.id, population="p", mode="rows")
    version = _version()
    dataset = Dataset(
        id=new_id(), slug="d", owner_id=owner.id, lineage_id=lineage.id, title_vi="t", title_en="t",
        description_vi="d", description_en="d", licence="l", themes=[], spatial="s", temporal="t",
        update_frequency="once", current_version_id=version.id,
        manifest={"privacy_unit": "column", "purposes": PURPOSES},
    )  # fmt: skip
    row = DatasetVersion(
        id=version.id, dataset_id=dataset.id, number=1, body=msgspec.to_builtins(version), sample=[],
        published_by=person.id,
    )  # fmt: skip
    async with database.session() as session:
        for each in (owner, person, lineage, dataset, row):
            session.add(each)
            await session.flush()
    await asyncio.to_thread(_write_people, store, keys.lineage(lineage.id), version.id)
    caller = Owner(
        person_id=person.id, person_name="P", organisation_id=owner.id, organisation_name="O",
        organisation_kind="owner", roles=("steward",), scopes=("consent",), organisation_suspended=False,
        via="token",
    )  # fmt: skip
    parts = Importing(config=config, database=database, store=store, keys=keys)
    return Place(parts=parts, owner=caller, dataset_id=dataset.id, folder=config.home)


def _version() -> Version:
    return Version(
        id="ab" * 32, dataset="d", mode="rows", privacy_unit="column", population="p", rows=PERSONS,
        persons=PERSONS, cohorts=PERSONS // 10, k=10, fine_share=1.0,
        measured=Measured(k=10, l=2, entropy_l=2.0, t=0.1),
        left_out=LeftOut(persons=0, classes=0, share=0.0), columns=(), parts=(), purposes=PURPOSES,
        legal_basis="consent", manifest_sha256="", created_at_ms=0,
    )  # fmt: skip


def _write_people(store: Store, key: bytes, version_id: str) -> None:
    names = np.frombuffer(b"".join(pseudonym(key, _subject(i)) for i in range(PERSONS)), np.uint8).reshape(-1, 16)
    folder = store.private(version_id)
    folder.mkdir(parents=True)
    write_subjects(folder / "subjects.bin", names, sort_order(names), np.arange(PERSONS) // 10)


def _subject(number: int) -> str:
    return f"{79_000_000_000 + number:012}"


async def _imports(place: Place) -> list[dict[str, Any]]:
    given = await asyncio.to_thread(_file, place.folder / "given.ndjson", range(EVENTS), "given")
    withdrawn = await asyncio.to_thread(
        _file, place.folder / "withdrawn.ndjson", range(0, PERSONS, PERSONS // WITHDRAWN), "withdrawn"
    )
    plain_s = await _plain(place, EVENTS)
    given_s = await _import(place, given)
    again_s = await _import(place, given)
    withdrawn_s = await _import(place, withdrawn)
    return [
        figure(f"consents: import of {EVENTS:,} events", given_s, "s", n=1, goal=30.0),
        figure(f"consents: import of {EVENTS:,} events beside plain COPY of their rows", given_s, "s", n=1,
               baseline=plain_s),
        figure(f"consents: the same {EVENTS:,} events again", again_s, "s", n=1),
        figure(f"consents: {WITHDRAWN:,} withdrawals in one file, cohorts out", withdrawn_s, "s", n=1),
    ]  # fmt: skip


def _file(path: Path, numbers: range, event: str) -> Path:
    """Events of the fields that an owner's system has; ten persons a purpose have several."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with path.open("w") as file:
        for number in numbers:
            line = {
                "event_id": f"{event}-{number:09}",
                "subject": _subject(number),
                "purpose": PURPOSES[number % 2 if event == "given" else 0],
                "event": event,
                "at": (at + timedelta(seconds=number)).isoformat(),
                "notice_sha256": "ab" * 32,
                "notice_language": "vi",
                "notice_version": "3",
                "evidence": f"hồ sơ {number // 1000}",
                "method": "app",
                "jurisdiction": "VN",
            }
            if event == "given":
                line["expires_at"] = "2028-01-01T00:00:00+07:00"
            file.write(json.dumps(line) + "\n")
    return path


async def _import(place: Place, source: Path) -> float:
    by = Sender(person_id=place.owner.person_id, organisation_id=place.owner.organisation_id)
    began = time.perf_counter()
    done = await import_events(place.parts, by=by, dataset_id=place.dataset_id, source=source, all_or_nothing=True)
    taken = time.perf_counter() - began
    assert done.fault_count == 0
    return taken


async def _plain(place: Place, count: int) -> float:
    """COPY of as many finished rows into a table with the register's columns, constraints and indexes."""
    async with place.parts.database.session() as session:
        await session.execute(text("CREATE TEMPORARY TABLE plain (LIKE consent_event INCLUDING ALL)"))
        raw = await (await session.connection()).get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        began = time.perf_counter()
        columns = "id, dataset_id, subject, purpose, event, at, expires_at, evidence, owner_event_id, recorded_at"
        async with driver.cursor() as cursor, cursor.copy(f"COPY plain ({columns}) FROM STDIN") as copy:
            for begin in range(0, count, 20_000):
                rows = [
                    f"{new_id()}\t{place.dataset_id}\t\\\\x{i * 2654435761 % 2**64:032x}\t{PURPOSES[0]}\tgiven\t"
                    f"2026-01-01T00:00:00Z\t2028-01-01T00:00:00Z\tho so\tE{i}\t2026-01-01T00:00:00Z\n"
                    for i in range(begin, min(begin + 20_000, count))
                ]
                await copy.write("".join(rows).encode())
        taken = time.perf_counter() - began
        await session.execute(text("DROP TABLE plain"))
    return taken


async def _reading(place: Place) -> list[dict[str, Any]]:
    """What a publication asks of the register, everybody's newest word, and what the answer takes in memory."""
    began = time.perf_counter()
    register = await read_register(place.parts.database, place.dataset_id, PURPOSES)
    taken, said = time.perf_counter() - began, register.consents
    people = len(said.subjects)
    held = said.subjects.nbytes + said.given.nbytes + said.withdrawn.nbytes
    return [
        figure(f"consents: the register of {people:,} persons read for a version", taken, "s", n=1),
        figure("consents: the same, held for each person", held / people, "bytes", n=1, goal=24),
    ]


async def _withdrawals(place: Place) -> list[dict[str, Any]]:
    """With all those events in the register, from the call to the commit: somebody who is in, and who is not."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(SINGLE):
        for inside in (True, False):
            subject = _subject(number * 7 + 3) if inside else f"x{number}"
            began = time.perf_counter()
            async with place.parts.database.session() as session:
                await record_consent_event(
                    session, by=place.owner, consent_id=new_id(), dataset_id=place.dataset_id, subject=subject,
                    purpose=PURPOSES[1], event="withdrawn", at=utcnow(), store=place.parts.store,
                    keys=place.parts.keys,
                )  # fmt: skip
            took[inside].append((time.perf_counter() - began) * 1000)
    return [
        figure("consents: a withdrawal acknowledged, p50", quantile(took[True], 0.5), "ms", n=SINGLE),
        figure("consents: a withdrawal acknowledged, p99", quantile(took[True], 0.99), "ms", n=SINGLE, goal=50.0),
        figure("consents: a withdrawal of somebody who is not in, beside one who is, p50",
               quantile(took[False], 0.5), "ms", n=SINGLE, baseline=quantile(took[True], 0.5)),
    ]  # fmt: skip
