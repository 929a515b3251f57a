"""Settling at 32 connections, beside one transaction that inserts the same rows without lock, check or trigger."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from msgspec import Struct
from sqlalchemy import text

from bench.cpu import spent
from bench.figure import figure
from bench.home import fresh_home
from bench.ledger import BODY as SETTLED
from bench.ledger import CLIENTS, Parties, open_parties
from marketplace.accounts.models import Person
from marketplace.agreements.models import Agreement, Application
from marketplace.audit.actions import recorded
from marketplace.billing.actions import Part, query_charge, query_hold
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database, migration_url
from marketplace.db.locks import version_locked
from marketplace.db.roles import SERVICE
from marketplace.db.together import Statement
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import booking, transfers
from marketplace.ledger.reconcile import reconcile
from marketplace.listings.models import Dataset, Lineage
from marketplace.metering.actions import usage_recorded
from marketplace.queries.endings import FINISH
from marketplace.queries.settle import AS_DECIDED, MADE
from marketplace.tables import metadata

QUERIES_EACH = 60
ROUNDS = 2
PRICE_VND = 1_234
GOAL = 0.85
BODY = bytes(2_000)
_DATASET_TEXTS = (
    "title_vi", "title_en", "description_vi", "description_en", "licence", "spatial", "temporal",
    "update_frequency",
)  # fmt: skip
assert "agreement" in metadata.tables  # its foreign keys know every table
SAME_ROWS = ("transfer", "usage", "event", "event_salt", "pending_leaf", "query_result", "query")


class Asked(Struct, frozen=True):
    """A query that holds its price, and under which agreement."""

    part: Part
    startup_id: UUID
    agreement_id: UUID


async def figures() -> list[dict[str, Any]]:
    """On a fresh embedded database with fsync on; the two take turns, and the best round of each counts."""
    async with fresh_home(connections=CLIENTS) as (config, database):
        parties = await open_parties(database)
        agreements = await _agreements(database, parties)
        await asyncio.to_thread(_bare_tables, config)
        await asyncio.to_thread(_analyze, config)
        settles, plain = Taken(), Taken()
        for _ in range(ROUNDS):
            asked = [await _ask(database, parties, n, agreements[n]) for n in range(CLIENTS)]
            settles = settles.better(await _taken(config, asked, lambda each: _settle(database, each)))
            plain = plain.better(await _taken(config, asked, lambda each: _insert(database, each)))
        async with database.session() as session:
            assert await reconcile(session) == ()
    n = CLIENTS * QUERIES_EACH * ROUNDS
    name = "ledger: settle, 32 wallets, beside its rows inserted bare"
    return [
        figure(name, settles.rate, "settles/s", n=n, baseline=plain.rate, goal=GOAL, better="higher"),
        figure("… its CPU, client and PostgreSQL", settles.each_ms, "ms", n=n, baseline=plain.each_ms),
        figure("… of PostgreSQL alone", settles.server_ms, "ms", n=n, baseline=plain.server_ms),
    ]


class Taken(Struct, frozen=True):
    """Pieces of work a second, and the CPU of each."""

    rate: float = 0.0
    each_ms: float = float("inf")
    server_ms: float = float("inf")

    def better(self, other: Taken) -> Taken:
        """Of each figure the better."""
        return Taken(
            max(self.rate, other.rate), min(self.each_ms, other.each_ms), min(self.server_ms, other.server_ms)
        )


async def _agreements(database: Database, parties: Parties) -> list[UUID]:
    """One of each startup with the owner, on one dataset; what AS_DECIDED reads, and nothing more."""
    owner, made = parties.owner, [new_id() for _ in parties.startups]
    no_text = dict.fromkeys(_DATASET_TEXTS, "")
    async with database.session() as session:
        lineage = Lineage(id=new_id(), owner_id=owner, population="p", mode="rows")
        session.add(lineage)
        await session.flush()
        # One id serves for all of which there is one.
        dataset = Dataset(
            id=owner, slug="d", owner_id=owner, lineage_id=lineage.id, themes=[], manifest={}, **no_text
        )
        session.add(dataset)
        for startup in parties.startups:
            session.add(Person(id=startup, organisation_id=startup, email=str(startup), name="", roles=[]))
        await session.flush()
        for startup, agreement in zip(parties.startups, made, strict=True):
            session.add(
                Application(
                    id=agreement, dataset_id=owner, owner_id=owner, startup_id=startup, applicant_id=startup,
                    purpose="p", justification="", duration_days=1, people=[],
                )
            )  # fmt: skip
            await session.flush()
            session.add(
                Agreement(
                    id=agreement, application_id=agreement, dataset_id=owner, owner_id=owner, startup_id=startup,
                    purpose="p", people=[startup], columns=[], expires_at=utcnow() + timedelta(days=30),
                )
            )  # fmt: skip
    return made


async def _ask(database: Database, parties: Parties, number: int, agreement_id: UUID) -> list[Asked]:
    """QUERIES_EACH of one startup, that hold their price and run."""
    startup, asked = parties.startups[number], []
    for _ in range(QUERIES_EACH):
        part = Part(
            query_id=new_id(),
            dataset_id=parties.owner,
            owner_id=parties.owner,
            hold_id=new_id(),
            amount_vnd=PRICE_VND,
        )
        asked.append(Asked(part, startup, agreement_id))
    given = {
        "ids": [each.part.query_id for each in asked],
        "holds": [each.part.hold_id for each in asked],
        "startup": startup,
        "agreement": agreement_id,
        "owner": parties.owner,
        "price": PRICE_VND,
    }
    async with database.session() as session:
        await transfers(session, [query_hold(each.part, startup_id=startup) for each in asked])
        await session.execute(
            text("""insert into query (id, organisation_id, person_id, purpose, sql, state, decision, bytes,
                quote_vnd, rho_micro, created_at)
                select unnest(cast(:ids as uuid[])), :startup, a.people[1], 'p', 'select 1', 'running', '{}', 1,
                :price, 0, now() from agreement a where id = :agreement"""),
            given,
        )
        await session.execute(
            text("""insert into query_line (query_id, agreement_id, decision_id, dataset_id, owner_id, version_id,
                revision, columns, bytes, quote_vnd, hold_id, excluded_seen)
                select id, :agreement, id, :owner, :owner, 'v', 0, '{}', 1, :price, hold, 0
                from unnest(cast(:ids as uuid[]), cast(:holds as uuid[])) as q (id, hold)"""),
            given,
        )
    return asked


async def _taken(config: Config, asked: list[list[Asked]], work: Callable[[Asked], Awaitable[None]]) -> Taken:
    """A client for each list."""

    async def client(mine: list[Asked]) -> None:
        for each in mine:
            await work(each)

    before, started = spent(config), time.perf_counter()
    await asyncio.gather(*(client(mine) for mine in asked))
    took, used, count = time.perf_counter() - started, spent(config) - before, sum(map(len, asked))
    return Taken(count / took, used.both_s / count * 1000, used.server_s / count * 1000)


def _written(asked: Asked) -> tuple[Statement, Statement, dict[str, Any]]:
    """Usage, event and what FINISH is given: the same for both."""
    part = asked.part
    usage = usage_recorded(
        query_id=part.query_id, organisation_id=asked.startup_id, owner_id=part.owner_id,
        person_id=part.owner_id, agreement_id=asked.agreement_id, dataset_id=part.dataset_id, version_id="v",
        outcome="ready", bytes=100_000, rows=16, cpu_us=1, wall_us=1, peak_memory_bytes=1, price_vnd=PRICE_VND,
    )  # fmt: skip
    event = recorded(
        "query:settle", parties=(asked.startup_id, part.owner_id), dataset_id=part.dataset_id,
        agreement_id=asked.agreement_id, query_id=part.query_id, price_vnd=PRICE_VND,
        body=SETTLED,
    )  # fmt: skip
    finish = {
        "id": part.query_id, "state": "ready", "charged": PRICE_VND, "failure": None, "rows": 16,
        "output": msgspec.json.encode([{"name": "a", "type": "int"}]).decode(), "sha256": "0" * 64,
        "expires": utcnow() + timedelta(days=7), "body": BODY, "key": bytes(60), "size": len(BODY), "rho": None,
    }  # fmt: skip
    return usage, event, finish


async def _settle(database: Database, asked: Asked) -> None:
    """What `queries.settle` sends."""
    charge = query_charge(asked.part)
    usage, event, finish = _written(asked)
    sent = [
        version_locked("v", shared=True),
        Statement(AS_DECIDED, {"id": asked.part.query_id}),
        Statement(MADE, booking(charge).parameters),
        usage,
        event,
        Statement(FINISH, finish),
    ]
    answers = await database.at_once(sent)
    assert answers[-1]


def _bare_tables(config: Config) -> None:
    """The same columns and indexes, in a schema of their own; only the owner of the tables may make them."""
    with psycopg.connect(migration_url(config)) as connection:
        connection.execute("create schema bare")
        for table in SAME_ROWS:
            connection.execute(
                f"create table bare.{table} (like public.{table} including indexes including identity)"
            )
        connection.execute(f"grant usage on schema bare to {SERVICE}")
        connection.execute(f"grant select, insert on all tables in schema bare to {SERVICE}")


def _analyze(config: Config) -> None:
    """What autovacuum does within a minute: else plans are those of empty tables."""
    with psycopg.connect(migration_url(config), autocommit=True) as connection:
        connection.execute("vacuum analyze")


BARE_TRANSFERS = text("""
    insert into bare.transfer (id, kind, debit_account_id, credit_account_id, amount, released, currency,
        pending_id, code, query_id, dataset_id, at)
    select g.id, g.kind, g.debit, g.credit, g.amount, case when g.hold_id is not null then g.amount end, 'VND',
           g.hold_id, g.code, g.query_id, g.dataset_id, :at
    from json_to_recordset(cast(:movements as json)) as g (id uuid, kind text, debit uuid, credit uuid,
        amount bigint, hold_id uuid, code text, query_id uuid, dataset_id uuid)
""")
BARE_FINISH = text("""
    with stored as (
        insert into bare.query_result (query_id, body, wrapped_key, size_bytes, expires_at)
        values (:id, :body, :key, :size, :expires)
    )
    insert into bare.query (id, organisation_id, person_id, purpose, sql, state, decision, bytes, quote_vnd,
        charged_vnd, rho_micro, rows, output, result_sha256, result_expires_at, created_at, finished_at)
    values (:id, :startup, :startup, 'p', 'select 1', :state, '{}', 1, 1, :charged, 0, :rows,
        cast(:output as jsonb), :sha256, :expires, now(), now())
""")


def _bare(statement: Statement) -> Statement:
    """The same insert, into the bare table."""
    sql = re.sub("insert into ", "insert into bare.", str(statement.sql), flags=re.IGNORECASE)
    return Statement(_texts.setdefault(sql, text(sql)), statement.parameters, statement.tagged)


_texts: dict[str, Any] = {}


async def _insert(database: Database, asked: Asked) -> None:
    """The rows that a settle leaves, and nothing else."""
    charge = query_charge(asked.part)
    usage, event, finish = _written(asked)
    wallet, platform = account_id(asked.startup_id, "wallet"), account_id(None, "platform")
    resolved = msgspec.structs.replace(charge[0], debit=wallet, credit=platform)
    rows = {"movements": msgspec.json.encode([resolved, *charge[1:]]).decode(), "at": utcnow()}
    await database.at_once(
        [
            Statement(BARE_TRANSFERS, rows),
            _bare(usage),
            _bare(event),
            Statement(BARE_FINISH, finish | {"startup": asked.startup_id}),
        ]
    )
