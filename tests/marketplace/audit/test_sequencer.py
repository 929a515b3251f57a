"""The sequencer under commits out of order, rivals, kills and a database that goes away."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from marketplace.audit import actions, sequencer, tree
from marketplace.audit.actions import record
from marketplace.audit.leaf import Place, chain_key, link, read_leaf
from marketplace.audit.proofs import inclusion_proof
from marketplace.audit.reads import newest_event_ms
from marketplace.audit.sequencer import LogDamaged, run_sequencer, sequence_once
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.together import Statement, Unit
from marketplace.verifier.note import open_checkpoint
from policies.clock import Clock, ClockWentBack
from tests.marketplace.audit.conftest import Log


async def write(log: Log, count: int, dataset_id: UUID | None = None) -> list[UUID]:
    async with log.database.session() as session:
        return [await record(session, "test:use", dataset_id=dataset_id, body={"n": n}) for n in range(count)]


async def leaves(log: Log) -> list[tuple[int, UUID, bytes]]:
    async with log.database.session() as session:
        rows = await session.execute(text("SELECT index, event_id, data FROM audit_leaf ORDER BY index"))
        return [(index, event_id, data) for index, event_id, data in rows]


async def test_committed_events_get_leaves_in_order_and_a_signed_checkpoint(log: Log) -> None:
    ids = await write(log, 5)
    assert await log.sequence() == 5
    rows = await leaves(log)
    assert [index for index, _, _ in rows] == list(range(5))
    assert {event_id for _, event_id, _ in rows} == set(ids)
    head = open_checkpoint(await log.one("SELECT note FROM checkpoint"), log.key)
    nodes: list[bytes] = []
    list(tree.append(nodes, 0, [tree.leaf_hash(data) for _, _, data in rows]))
    assert (head.size, head.root) == (5, tree.fold(nodes))
    assert await log.findings() == ()


async def test_nothing_new_makes_no_checkpoint(log: Log) -> None:
    await write(log, 1)
    assert [await log.sequence(), await log.sequence()] == [1, 0]
    assert await log.one("SELECT count(*) FROM checkpoint") == 1


async def test_an_event_that_was_rolled_back_gets_no_leaf(log: Log) -> None:
    async with log.database.session() as session:
        await record(session, "test:event")
        await session.rollback()
    assert await log.sequence() == 0


async def test_an_event_that_commits_late_gets_a_later_leaf_and_is_never_lost(log: Log) -> None:
    async with log.database.session() as session:
        late = await record(session, "test:event")
        early = (await write(log, 1))[0]
        assert await log.sequence() == 1
    assert await log.sequence() == 1
    assert [event_id for _, event_id, _ in await leaves(log)] == [early, late]
    assert await log.findings() == ()


async def test_a_dataset_s_leaves_are_linked_without_gap_and_show_it_to_nobody_without_its_key(log: Log) -> None:
    first, second = uuid4(), uuid4()
    for dataset_id in (first, second, None, first, first):
        await write(log, 1, dataset_id)
        await log.sequence()
    await write(log, 2, first)
    await log.sequence()
    links = [read_leaf(data).l for _, _, data in await leaves(log)]
    assert len(set(links)) == 7, "to who has no key no two leaves look related"
    for dataset_id, indexes in ((first, [0, 3, 4, 5, 6]), (second, [1])):
        key = chain_key(log.keys.salt_key(), dataset_id)
        chain = [link(key, Place(n, p)) for n, p in enumerate([None, *indexes])]
        assert [links.index(each) for each in chain[:-1]] == indexes
        assert chain[-1] not in links, "the next one would be found, were it there"


async def test_what_people_say_for_themselves_counts_in_no_chain(log: Log) -> None:
    dataset_id = uuid4()
    async with log.database.session() as session:
        await record(session, "test:event", dataset_id=dataset_id)
        await record(session, "test:use", dataset_id=dataset_id)
    await log.sequence()
    assert await log.one("SELECT count(*) FROM audit_leaf WHERE dataset_id = :id", id=dataset_id) == 1
    assert await log.findings() == ()


async def test_rival_sequencers_take_turns(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH_EVENTS", 7)
    dataset_id = uuid4()

    async def busy() -> None:
        for _ in range(6):
            await write(log, 5, dataset_id)

    done = await asyncio.gather(*(log.sequence() for _ in range(4)), busy(), *(log.sequence() for _ in range(4)))
    total = sum(count for count in done if count is not None) + await log.sequence()
    assert total == 30
    assert await log.findings() == ()


async def test_a_batch_is_whole_or_nothing(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    await write(log, 3)

    send = Unit.send

    async def killed(unit: Unit, statements: Sequence[Statement]) -> list[list[Any]]:
        answers = await send(unit, statements)
        if any("audit_leaf (" in str(each.sql) for each in statements):
            raise ZeroDivisionError
        return answers

    with monkeypatch.context() as patched:
        patched.setattr(Unit, "send", killed)
        with pytest.raises(ZeroDivisionError):
            await log.sequence()
    assert await leaves(log) == []
    assert await log.sequence() == 3
    assert await log.findings() == ()


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from marketplace.audit import sequencer
from marketplace.config import Config
from marketplace.db.engine import open_database
from marketplace.db.keys import Keys
from marketplace.db.together import Unit

send = Unit.send

async def killed(unit, statements):
    answers = await send(unit, statements)
    if any("audit_leaf (" in str(each.sql) for each in statements):
        os.kill(os.getpid(), signal.SIGKILL)
    return answers

async def main():
    config = Config(home=Path(sys.argv[1]))
    database = open_database(config, connections=1)
    Unit.send = killed
    await sequencer.sequence_once(database, Keys(Path(sys.argv[2])), config)

asyncio.run(main())
"""


async def test_a_sequencer_that_is_killed_before_it_commits_leaves_nothing_behind(
    log: Log, tmp_path: Path
) -> None:
    await write(log, 3)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(log.config.home), str(tmp_path / "keys")
    )
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    assert await leaves(log) == []
    assert await log.sequence() == 3
    assert await log.findings() == ()


async def test_the_loop_waits_out_a_database_that_is_away(log: Log, tmp_path: object) -> None:
    away = Database(f"postgresql://nobody@/nothing?host={tmp_path}", connections=1)
    stop = asyncio.Event()
    task = asyncio.create_task(run_sequencer(away, log.keys, log.config, stop))
    await asyncio.sleep(0.3)
    assert not task.done()
    stop.set()
    await asyncio.wait_for(task, 5)
    await away.close()


async def test_the_loop_sequences_what_is_written_while_it_runs(log: Log) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(run_sequencer(log.database, log.keys, log.config, stop))
    await write(log, 2)
    for _ in range(50):
        await asyncio.sleep(0.02)
        if await log.one("SELECT count(*) FROM audit_leaf") == 2:
            break
    stop.set()
    await asyncio.wait_for(task, 5)
    assert await log.one("SELECT count(*) FROM audit_leaf") == 2


async def test_sequencing_stops_loudly_when_stored_nodes_are_gone(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    await write(log, 3)
    await log.sequence()
    log.tamper("DELETE FROM audit_node WHERE level = 1")
    await write(log, 1)
    with pytest.raises(LogDamaged, match="audit verify"):
        await sequence_once(log.database, log.keys, log.config)
    stop = asyncio.Event()
    task = asyncio.create_task(run_sequencer(log.database, log.keys, log.config, stop))
    await asyncio.sleep(0.2)
    stop.set()
    await asyncio.wait_for(task, 5)
    assert [each.levelname for each in caplog.records if "audit verify" in each.message] == ["CRITICAL"]


async def test_the_newest_instant_of_the_log_is_that_of_its_latest_event(log: Log) -> None:
    assert await newest_event_ms(log.database) == 0
    before = Clock().now_ms()
    await write(log, 3)
    newest_ms = await newest_event_ms(log.database)
    assert before <= newest_ms <= Clock().now_ms()
    with pytest.raises(ClockWentBack):
        Clock(not_before_ms=newest_ms + 3_600_000).now_ms()


async def test_an_event_of_a_clock_that_was_set_back_takes_nothing_back_that_the_log_has_seen(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts then, with the clock still back, is not to believe it."""
    await write(log, 1)
    seen_ms = await newest_event_ms(log.database)
    hours_ago = utcnow() - timedelta(hours=2)
    monkeypatch.setattr(actions, "utcnow", lambda: hours_ago)
    await write(log, 1)
    assert await log.one("SELECT at FROM event ORDER BY id DESC LIMIT 1") < hours_ago + timedelta(minutes=1)
    assert await newest_event_ms(log.database) == seen_ms


def _visited(plan: dict[str, Any]) -> int:
    """Rows of the log that a plan looked at."""
    own = (
        plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if plan.get("Relation Name") == "event" else 0
    )
    return int(own * plan["Actual Loops"]) + sum(_visited(each) for each in plan.get("Plans", ()))


async def test_a_batch_looks_at_its_own_events_whatever_the_planner_knows_of_the_log(log: Log) -> None:
    """The tables were never analysed here, as in a service's first minute; the log is longer than what waits."""
    await write(log, 1_000)
    await log.sequence()
    await write(log, 3)
    explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {sequencer._PENDING.text}"
    async with log.database.session() as session:
        found = (
            await session.execute(text(explained), {"batch": sequencer.BATCH_EVENTS, "counted": ["test:use"]})
        ).scalar_one()
    assert _visited(found[0]["Plan"]) == 3


async def test_a_connection_that_proved_in_a_small_log_reads_no_more_than_the_proof_of_a_large_one(
    log: Log,
) -> None:
    nodes = text("""
        INSERT INTO audit_node (level, index, hash)
        SELECT level, index, sha256('') FROM generate_series(0, 13) AS level,
            generate_series(0, (CAST(:size AS int) >> level) - 1) AS index
        ON CONFLICT DO NOTHING
    """)
    read = text("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'audit_node'")
    async with log.database.session() as session:
        await session.execute(nodes, {"size": 64})
        for leaf in range(10):
            await inclusion_proof(session, leaf, 64)
        await session.execute(nodes, {"size": 1 << 13})
        before = await session.scalar(read)
        proof = await inclusion_proof(session, 5, 1 << 13)
        assert len(proof.hashes) == 13
        assert await session.scalar(read) == before
        await session.rollback()
