"""The log: what recording adds to a transaction, what the sequencer keeps up with, what proofs and checks cost."""

from __future__ import annotations

import secrets
import statistics
import time
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.figure import figure
from bench.home import fresh_home
from marketplace.audit.actions import record
from marketplace.audit.check import check_log
from marketplace.audit.facttree import grow
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import inclusion_proof, newest_checkpoint
from marketplace.audit.receipt import encode
from marketplace.audit.receipts import receipt
from marketplace.audit.sealing import seal, told
from marketplace.audit.sequencer import sequence_once
from marketplace.audit.settlement import settled_tree
from marketplace.audit.verify import verify_receipt
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.db.together import perform
from marketplace.metering.actions import usage_recorded
from policies.decision import Decision, Obligations, Question
from policies.sources import FOLDER

EVENTS = 20_000
PROBES = 400
ASKED = msgspec.json.decode((FOLDER / "cases" / "bases.json").read_bytes(), type=dict[str, Question])["rows"]
SQL = "select education, count(*) from adult group by 1"
DECISION = Decision(
    allow=True, reasons=(), policy_revision="r", engine="opa-wasm", facts_hash="ab", valid_until=1,
    obligations=Obligations(mode="rows", columns=("a", "b", "c"), k_min=10, max_rows=5, max_bytes=9, expires_at=2,
                            recheck_after=1),
)  # fmt: skip
TREE = grow(ASKED, SQL)
SPENT = {"wall_us": 5_000, "cpu_us": 7_000, "peak_memory_bytes": 9}
BODY = {
    "decision": told(DECISION),
    "facts": TREE.head,
    "usage": {"rows": 16, "bytes": 100_000},
    "settled": settled_tree(SPENT, (), TREE.seed).head,
    "columns": ["a", "b", "c"],
    "outcome": "ready",
    "failure": None,
    "result_sha256": "ab" * 32,
}  # fmt: skip
PLAIN = text("INSERT INTO login_attempt (id, email_hash, address, at) VALUES (:id, :hash, 'bench', now())")


async def figures() -> list[dict[str, Any]]:
    """On a fresh database with 20,000 events of ten datasets."""
    async with fresh_home(connections=4) as (config, database):
        keys = Keys(config.path("keys"))
        return [
            _sealing(keys),
            await _recording(database),
            await _sequencing(database, keys, config),
            await _proving(database),
            await _verifying(database, keys, config),
            await _checking(database, keys, config),
        ]


async def _write(session: AsyncSession, dataset_id: Any = None, query_id: Any = None) -> None:
    await record(
        session, "query:settle", actor_person_id=new_id(), actor_organisation_id=new_id(), parties=(new_id(),),
        dataset_id=dataset_id, agreement_id=uuid4(), query_id=query_id, purpose="research.academic",
        version_id="cd" * 32, revision=0, bytes=100_000, price_vnd=1_000,
        body=BODY | {"decision_id": query_id or uuid4()},
    )  # fmt: skip


def _sealing(keys: Keys) -> dict[str, Any]:
    """What a query pays once: its facts encrypted and hashed one by one."""
    took = []
    for _ in range(PROBES * 5):
        began = time.perf_counter()
        seal(keys, decision_id=uuid4(), tree=grow(ASKED, SQL), decision=DECISION)
        took.append((time.perf_counter() - began) * 1000)
    return figure(
        f"seal a decision of {len(TREE.values)} facts, p50",
        statistics.median(took),
        "ms",
        n=len(took),
        goal=0.3,
    )


async def _recording(database: Database) -> dict[str, Any]:
    """One statement in an open transaction, beside the plainest insert there is."""
    events, plain = [], []
    async with database.session() as session:
        for _ in range(PROBES):
            began = time.perf_counter()
            await _write(session)
            between = time.perf_counter()
            await session.execute(PLAIN, {"id": new_id(), "hash": secrets.token_bytes(32)})
            events.append((between - began) * 1000)
            plain.append((time.perf_counter() - between) * 1000)
    return figure(
        "record an event, p50",
        statistics.median(events),
        "ms",
        n=PROBES,
        baseline=statistics.median(plain),
        goal=3,
    )


async def _sequencing(database: Database, keys: Keys, config: Config) -> dict[str, Any]:
    datasets = [uuid4() for _ in range(10)]
    async with database.session() as session:
        for n in range(EVENTS):
            await _write(session, datasets[n % 10], uuid4())
    began = time.perf_counter()
    count = await sequence_once(database, keys, config)
    rate = count / (time.perf_counter() - began)
    return figure("sequencer: events given their leaf", rate, "events/s", n=count, goal=10_000, better="higher")


async def _proving(database: Database) -> dict[str, Any]:
    took = []
    async with database.session() as session:
        newest = await newest_checkpoint(session)
        size = newest.size if newest else 0
        for _ in range(PROBES):
            began = time.perf_counter()
            await inclusion_proof(session, secrets.randbelow(size), size)
            took.append((time.perf_counter() - began) * 1000)
    return figure(f"inclusion proof among {size:,} leaves, p50", statistics.median(took), "ms", n=PROBES, goal=5)


async def _verifying(database: Database, keys: Keys, config: Config) -> dict[str, Any]:
    key = verifier_key(config.log_origin, keys.log_signing())
    query = text("SELECT query_id, dataset_id FROM event WHERE query_id IS NOT NULL LIMIT 1")
    some = uuid4()
    async with database.session() as session:
        query_id, dataset_id = (await session.execute(query)).one()
        usage = usage_recorded(
            query_id=query_id, organisation_id=some, owner_id=some, person_id=some, agreement_id=some,
            dataset_id=dataset_id, version_id="v", outcome="ready", bytes=8, rows=9, price_vnd=0,
            wall_us=SPENT["wall_us"], cpu_us=SPENT["cpu_us"], peak_memory_bytes=SPENT["peak_memory_bytes"],
        )  # fmt: skip
        await perform(session, usage)
        sealed = seal(keys, decision_id=query_id, tree=TREE, decision=DECISION)
        await perform(session, sealed.stored)
        found = await receipt(session, keys, query_id, edition="startup")
    data = encode(found) if found else b""
    took = []
    for _ in range(PROBES):
        began = time.perf_counter()
        if not verify_receipt(data, key).ok:
            raise RuntimeError("the receipt does not verify")
        took.append((time.perf_counter() - began) * 1000)
    return figure("verify a receipt offline, p50", statistics.median(took), "ms", n=PROBES, goal=5)


async def _checking(database: Database, keys: Keys, config: Config) -> dict[str, Any]:
    key = verifier_key(config.log_origin, keys.log_signing())
    async with database.session() as session:
        newest = await newest_checkpoint(session)
        began = time.perf_counter()
        findings = await check_log(session, key, salt_key=keys.salt_key())
        took = time.perf_counter() - began
    if findings or newest is None:
        raise RuntimeError(f"the log does not check: {findings[:3]}")
    return figure(
        "check the whole log", newest.size / took, "leaves/s", n=newest.size, goal=5_000, better="higher"
    )
