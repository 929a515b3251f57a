"""What a decision needs, read in one round trip: flat however many agreements and consent records there are.

BENCH_CONSENTS=10000000 measures the largest register (about two minutes more); 1 million without it.
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from msgspec import Struct

from bench.figure import figure, quantile
from bench.home import fresh_home
from marketplace.accounts.callers import Caller
from marketplace.accounts.models import Organisation, Person
from marketplace.agreements.models import Agreement, Application
from marketplace.billing.accounts import ensure_accounts
from marketplace.consents.models import ConsentEvent
from marketplace.db import embedded
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.roles import OWNER
from marketplace.listings.models import Dataset, DatasetVersion, ExcludedCohort, Lineage
from marketplace.offers.models import Offer
from marketplace.queries.facts import read_facts
from marketplace.tables import metadata

BATCHES = 6
READS = 150
PURPOSE = "product.rnd"
AGREEMENTS = (100, 100_000)
CONSENTS = (10_000, int(os.environ.get("BENCH_CONSENTS", "1000000")))
EXCLUDED = 1_000
GOAL_MS = 2.0
FLAT = 1.25
CHANGED = {
    "agreement": {"id": "gen_random_uuid()", "application_id": "gen_random_uuid()"},
    "consent_event": {"id": "gen_random_uuid()", "subject": "uuid_send(gen_random_uuid())"},
    "excluded_cohort": {"id": "gen_random_uuid()", "cohort": "number"},
}
"""What differs between the copies of a row."""


class Asked(Struct, frozen=True):
    caller: Caller
    agreement_id: UUID


async def figures() -> list[dict[str, Any]]:
    """On a fresh embedded database; the many are those of the same parties, dataset and version."""
    async with fresh_home(connections=4) as (config, database):
        return await _measured(database, config.home)


async def _measured(database: Database, home: Path) -> list[dict[str, Any]]:
    asked = await _market(database)
    found: list[dict[str, Any]] = []
    for table, numbers in (("agreement", AGREEMENTS), ("consent_event", CONSENTS)):
        few_ms = None
        for number in numbers:
            await asyncio.to_thread(_clone, home, table, number)
            read_ms = await _read_ms(database, asked)
            name = f"facts: read beside {number:,} {table.replace('_', ' ')}s"
            found.append(figure(f"{name}, p50", read_ms, "ms", n=READS * BATCHES, goal=GOAL_MS))
            if few_ms is not None:
                name += f" ÷ {numbers[0]:,}"
                found.append(figure(name, read_ms, "ms", n=READS * BATCHES, goal=FLAT, baseline=few_ms))
            few_ms = read_ms
    await asyncio.to_thread(_clone, home, "excluded_cohort", EXCLUDED)
    read_ms = await _read_ms(database, asked)
    name = f"facts: read beside {EXCLUDED:,} cohorts taken out, p50"
    return [*found, figure(name, read_ms, "ms", n=READS * BATCHES, goal=GOAL_MS)]


def _clone(home: Path, table: str, number: int) -> None:
    """Fill up with copies of the row that is there: as superuser, without triggers and foreign keys."""
    with psycopg.connect(embedded.url(home, OWNER), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        there = connection.execute(f"select count(*) from {table}".encode()).fetchone()
        names = [f'"{column.name}"' for column in metadata.tables[table].columns]
        values = [CHANGED[table].get(name.strip('"'), f"one.{name}") for name in names]
        copies = (
            f"select {', '.join(values)} from (select * from {table} limit 1) one, generate_series(1, %s) number"
        )
        statement = f"insert into {table} ({', '.join(names)}) {copies}"
        connection.execute(statement.encode(), (number - (there[0] if there else 0),))
        connection.execute(f"vacuum analyze {table}".encode())


async def _read_ms(database: Database, asked: Asked) -> float:
    """The median of the batch that was disturbed least."""
    medians, agreements = [], (asked.agreement_id,)
    for _ in range(BATCHES):
        taken = []
        for _ in range(READS):
            began = time.perf_counter()
            await read_facts(database, caller=asked.caller, agreement_ids=agreements, purpose=PURPOSE)
            taken.append((time.perf_counter() - began) * 1000)
        medians.append(quantile(taken, 0.5))
    return min(medians)


async def _market(database: Database) -> Asked:
    """One of everything that a query's facts are read from."""
    owner = Organisation(id=new_id(), kind="owner", name="owner", slug="owner")
    startup = Organisation(id=new_id(), kind="startup", name="startup", slug="startup")
    person = Person(id=new_id(), organisation_id=startup.id, email="a@bench.example", name="A", roles=["analyst"])
    lineage = Lineage(id=new_id(), owner_id=owner.id, population="all", mode="rows")
    words = dict.fromkeys(("title_vi", "title_en", "description_vi", "description_en", "licence", "spatial",
                           "temporal", "update_frequency"), "x")  # fmt: skip
    dataset = Dataset(
        id=new_id(), slug="set", owner_id=owner.id, lineage_id=lineage.id, themes=[], manifest={},
        current_version_id="version", **words,
    )  # fmt: skip
    version = DatasetVersion(
        id="version", dataset_id=dataset.id, number=1, body={}, sample=[], published_by=person.id
    )
    offer = Offer(id=new_id(), dataset_id=dataset.id, name="standard", number=1, terms={"per_query_micro": 10**9})
    sides = {"dataset_id": dataset.id, "owner_id": owner.id, "startup_id": startup.id, "purpose": PURPOSE}
    application = Application(
        id=new_id(), applicant_id=person.id, justification="x", duration_days=30, people=[person.id], **sides
    )
    agreement = Agreement(
        id=new_id(), application_id=application.id, people=[person.id], columns=["age"],
        expires_at=utcnow() + timedelta(days=30), offer_id=offer.id, **sides,
    )  # fmt: skip
    consent = ConsentEvent(
        id=new_id(), dataset_id=dataset.id, subject=b"x" * 16, purpose=PURPOSE, event="given", at=utcnow()
    )
    cohort = ExcludedCohort(id=new_id(), version_id=version.id, cohort=0, revision=1, consent_event_id=consent.id)
    async with database.session() as session:
        for row in (
            owner,
            startup,
            person,
            lineage,
            dataset,
            version,
            offer,
            application,
            agreement,
            consent,
            cohort,
        ):
            session.add(row)
            await session.flush()
        for organisation in (owner, startup):
            await ensure_accounts(session, organisation)
    caller = Caller(
        person_id=person.id, person_name="A", organisation_id=startup.id, organisation_name="startup",
        organisation_kind="startup", roles=("analyst",), scopes=(), organisation_suspended=False, via="token",
    )  # fmt: skip
    return Asked(caller, agreement.id)
