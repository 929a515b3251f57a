"""The exchange and a real witness in its own process: what it signs is published, what it refuses is an event."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from marketplace.audit.actions import record
from marketplace.audit.looking import LogLook
from marketplace.audit.proofs import newest_checkpoint, witnessed_checkpoint
from marketplace.audit.publishing import LogRolledBack
from marketplace.audit.receipt import encode
from marketplace.audit.receipts import receipt
from marketplace.audit.remembered import remembered_heads
from marketplace.audit.sequencer import run_sequencer
from marketplace.audit.verify import verify_receipt
from marketplace.audit.witnesses import (
    WitnessAt,
    WitnessRefuses,
    WitnessSilent,
    cosign_newest,
    read_witnesses,
    run_witnessing,
)
from marketplace.config import Config
from marketplace.verifier.note import open_checkpoint
from marketplace.verifier.refusal import Refused
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.test_receipt import receipt_of
from tests.marketplace.witness.running import Running, witness

TIMEOUT_MS = 20_000
TOLD = text("SELECT body FROM event WHERE name = 'log:witness_refuse'")


@pytest.fixture
def running(log: Log, tmp_path: Path) -> Iterator[Running]:
    with witness(tmp_path / "memory", log.key) as started:
        yield started


async def more(log: Log, count: int = 3) -> None:
    for n in range(count):
        async with log.database.session() as session:
            await record(session, "test:event", body={"n": n})
    await log.sequence()


async def cosign(log: Log, running: Running) -> bool:
    return await cosign_newest(log.database, WitnessAt(running.key, running.url), timeout_ms=TIMEOUT_MS)


async def test_what_a_witness_signs_is_published_below_the_checkpoint(log: Log, running: Running) -> None:
    assert not await cosign(log, running), "there is nothing yet"
    for _ in range(3):
        await more(log)
        assert await cosign(log, running)
        assert not await cosign(log, running), "once is enough"
    await more(log)
    async with log.database.session() as session:
        newest, witnessed = await newest_checkpoint(session), await witnessed_checkpoint(session)
    assert newest is not None
    assert witnessed is not None
    assert open_checkpoint(witnessed.note, log.key, (running.key,)).size == 9
    assert open_checkpoint(newest.note, log.key).size == 12
    with pytest.raises(Refused):
        open_checkpoint(newest.note, log.key, (running.key,))


async def test_a_receipt_carries_the_witness_as_soon_as_it_can(log: Log, running: Running) -> None:
    before = encode(await receipt_of(log))
    assert verify_receipt(before, log.key).ok
    assert not verify_receipt(before, log.key, witnesses=[running.key]).ok
    decision_id = msgspec.json.decode(before)["decision_id"]
    assert await cosign(log, running)
    await more(log)
    async with log.database.session() as session:
        after = await receipt(session, log.keys, decision_id, edition="owner")
    assert after is not None
    verification = verify_receipt(encode(after), log.key, witnesses=[running.key])
    assert verification.ok, verification.checks


async def test_an_answer_that_was_lost_is_asked_for_again(log: Log, running: Running) -> None:
    await more(log)
    assert await cosign(log, running)
    log.tamper("DELETE FROM cosignature")
    await more(log)
    assert await cosign(log, running)
    async with log.database.session() as session:
        witnessed = await witnessed_checkpoint(session)
    assert witnessed is not None
    assert witnessed.size == 6


async def run_once(log: Log, running: Running, tmp_path: Path) -> list[dict[str, Any]]:
    """The loop until it has told what there is to tell; bodies of its events."""
    listed = tmp_path / "witnesses"
    listed.write_text(f"# ours\n{running.key} {running.url}/\n")
    config = msgspec.structs.replace(log.config, witnesses_file=listed, witness_interval_s=0)
    stop = asyncio.Event()
    task = asyncio.create_task(run_witnessing(log.database, log.key, config, stop))
    try:
        while not task.done():
            async with log.database.session() as session:
                found = list(
                    await session.scalars(text("SELECT body FROM event WHERE name = 'log:witness_refuse'"))
                )
            if found:
                return found
            await asyncio.sleep(0.05)
        return []
    finally:
        stop.set()
        await task


async def put_back(log: Log, running: Running) -> None:
    """Six leaves that the witness cosigned, then database and published log as they were at three."""
    for _ in range(2):
        await more(log)
        assert await cosign(log, running)
    log.tamper(
        "DELETE FROM cosignature WHERE size > 3",
        "DELETE FROM event WHERE id IN (SELECT event_id FROM audit_leaf WHERE index >= 3)",
        "DELETE FROM audit_leaf WHERE index >= 3",
        "DELETE FROM audit_node WHERE (index + 1) << level::int > 3",
        "DELETE FROM checkpoint WHERE size > 3",
        "DELETE FROM published WHERE size > 3",
    )
    shutil.rmtree(log.config.path("log"))  # what was published would tell too, but may be put back with it
    assert await log.findings() == (), "by itself it looks whole"


async def test_a_database_put_back_to_an_older_state_is_told_by_the_witness(
    log: Log, running: Running, tmp_path: Path
) -> None:
    await put_back(log, running)
    await more(log, 1)
    (told,) = await run_once(log, running, tmp_path)
    assert told == {"witness": str(running.key), "status": 409, "size": 6}
    with pytest.raises(LogRolledBack):
        await more(log, 4)
    shutil.rmtree(log.config.path("remembered"))
    assert await log.sequence() == 5, "who makes the exchange forget it again, gets a fork"
    with pytest.raises(WitnessRefuses, match="HTTP 422"):
        await cosign(log, running)


def listing(log: Log, running: Running, tmp_path: Path) -> Config:
    listed = tmp_path / "witnesses"
    listed.write_text(f"{running.key} {running.url}\n")
    return msgspec.structs.replace(log.config, witnesses_file=listed)


async def sequenced(log: Log, config: Config, until: Callable[[], Awaitable[bool]]) -> None:
    """The sequencer from its start, until then."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_sequencer(log.database, log.keys, config, stop))
    try:
        while not await until():
            assert not task.done()
            await asyncio.sleep(0.05)
    finally:
        stop.set()
        await task


async def test_a_log_put_back_gets_no_leaf_beside_what_a_witness_remembers(
    log: Log, running: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await put_back(log, running)
    config = listing(log, running, tmp_path)
    async with log.database.session() as session:
        await record(session, "test:event", body={"n": 7})

    async def said() -> bool:
        return "restored from an older backup" in caplog.text

    await sequenced(log, config, said)
    async with log.database.session() as session:
        newest = await newest_checkpoint(session)
    assert newest is not None
    assert newest.size == 3, "no fork was signed"
    assert await LogLook().holds(log.database, config, log.key) is False


async def test_what_a_witness_remembers_and_the_database_holds_stops_nobody(
    log: Log, running: Running, tmp_path: Path
) -> None:
    await more(log)
    assert await cosign(log, running)
    config = listing(log, running, tmp_path)
    kept = config.path("remembered", "older.note")
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("a note of nobody\n")
    async with log.database.session() as session:
        await record(session, "test:event", body={"n": 4})

    async def grown() -> bool:
        async with log.database.session() as session:
            newest = await newest_checkpoint(session)
        return newest is not None and newest.size == 4

    await sequenced(log, config, grown)
    assert [head.size for head in remembered_heads(config, log.key)] == [3]
    assert await LogLook().holds(log.database, config, log.key) is True


async def test_a_witness_that_does_not_answer_stops_nobody(log: Log, running: Running) -> None:
    await more(log)
    away = WitnessAt(running.key, "http://127.0.0.1:1")
    with pytest.raises(WitnessSilent):
        await cosign_newest(log.database, away, timeout_ms=TIMEOUT_MS)
    stranger = replace(running.key, name="another.example")
    with pytest.raises(WitnessSilent, match="no cosignature"):
        await cosign_newest(log.database, WitnessAt(stranger, running.url), timeout_ms=TIMEOUT_MS)


@pytest.mark.parametrize("listed", ["one", "a+b+c http://x", "{log} http://x", "{witness} http://x more"])
def test_a_list_that_is_none_is_refused(log: Log, running: Running, listed: str) -> None:
    with pytest.raises(Refused):
        read_witnesses(listed.format(log=log.key, witness=running.key))
    assert read_witnesses(f"\n{running.key}  http://x/ # y\n") == (WitnessAt(running.key, "http://x"),)
