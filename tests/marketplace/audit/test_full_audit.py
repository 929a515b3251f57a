"""The full audit names what somebody changed behind its back: which row, which leaf, which tile, which sum."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import text

from marketplace.audit import check
from marketplace.audit.actions import record
from marketplace.audit.canonical import exact
from marketplace.audit.commitment import commitment
from marketplace.audit.disk import DiskLog
from marketplace.audit.export import export_log
from marketplace.audit.published import read_tile
from marketplace.audit.tiles import WIDTH, Tile, parse_tile, tiles_of
from marketplace.cli import audit_home
from marketplace.db import engine
from marketplace.db.base import ms_of, utcnow
from marketplace.db.engine import Database, DatabaseUnavailable, database_url, open_database
from marketplace.db.keys import Keys
from marketplace.inspection import jobs
from marketplace.inspection.jobs import TURN, audit_if_due, last_due
from marketplace.inspection.look import Verdict, tell
from marketplace.inspection.look import look as inspect
from marketplace.inspection.partials import of_last
from marketplace.texts import message
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.test_cli import run

EVENT_FIELDS = (
    "id", "at", "name", "actor_person_id", "actor_organisation_id", "parties", "dataset_id", "agreement_id",
    "query_id", "purpose", "version_id", "revision", "bytes", "price_vnd", "body",
)  # fmt: skip
CHANGES = {
    "a row edited": (["UPDATE event SET purpose = 'x' WHERE id = '{event}'"], "log.event_changed: {event}"),
    "a row removed": (["DELETE FROM event WHERE id = '{event}'"], "log.event_missing: 4"),
    "a row inserted": (
        [
            "INSERT INTO event SELECT '{other}', at, name, actor_person_id, actor_organisation_id, parties, "
            "dataset_id, agreement_id, query_id, purpose, version_id, revision, bytes, price_vnd, body, "
            "commitment FROM event LIMIT 1"
        ],
        "log.event_hidden: {other}",
    ),
    "two rows swapped": (
        [
            "UPDATE audit_leaf SET event_id = '{other}' WHERE index = 4",
            "UPDATE audit_leaf SET event_id = '{event}' WHERE index = 2",
            "UPDATE audit_leaf SET event_id = '{swapped}' WHERE index = 4",
        ],
        "log.leaf_changed: 2",
    ),
    "a leaf removed": (["DELETE FROM audit_leaf WHERE index = 4"], "log.leaf_missing: 4"),
    "a hash edited": (
        ["UPDATE audit_node SET hash = sha256(hash) WHERE (level, index) = (0, 4)"],
        "log.node_changed: 0/4",
    ),
    "the database put back to an older state": (
        [
            "DELETE FROM event WHERE id IN (SELECT event_id FROM audit_leaf WHERE index >= 6)",
            "DELETE FROM event_salt WHERE event_id IN (SELECT event_id FROM audit_leaf WHERE index >= 6)",
            "DELETE FROM audit_leaf WHERE index >= 6",
            "DELETE FROM audit_node WHERE (index + 1) << level::int > 6",
            "DELETE FROM checkpoint WHERE size = 8",
        ],
        "log.cut_short: 8",
    ),
    "usage that nobody was charged for": (
        [
            "INSERT INTO usage (id, query_id, organisation_id, owner_id, person_id, agreement_id, dataset_id, "
            "version_id, outcome, bytes, rows, elements, cpu_us, wall_us, peak_memory_bytes, price_vnd, at) "
            "SELECT id, id, id, id, id, id, id, 'v', 'ready', 1, 1, 1, 1, 1, 1, 7, now() "
            "FROM (SELECT CAST('{other}' AS uuid) AS id) AS one"
        ],
        "books.usage_is_charged: {other}: 7 ≠ None",
    ),
}  # fmt: skip


@pytest.fixture
async def grown(log: Log, tmp_path: Path) -> Log:
    """Eight leaves under two checkpoints, published below a home of its own."""
    dataset = uuid4()
    for n in range(8):
        async with log.database.session() as session:
            await record(session, "test:use" if n % 2 else "test:event", dataset_id=dataset, body={"n": n})
        if n in (5, 7):
            await log.sequence()
    async with log.database.session() as session:
        await export_log(session, log.published, tmp_path / "log", log.key)
    return replace(log, config=msgspec.structs.replace(log.config, home=tmp_path))


async def look(log: Log) -> Verdict:
    verdict = await inspect(log.database, log.keys, log.config)
    await tell(log.database, log.keys, verdict, at=utcnow())
    return verdict


async def verdicts(log: Log) -> list[dict[str, Any]]:
    async with log.database.session() as session:
        return list(await session.scalars(text("SELECT body FROM event WHERE name = 'log:audit' ORDER BY at")))


async def test_a_whole_exchange_is_said_to_be_whole_in_the_log(grown: Log) -> None:
    verdict = await look(grown)
    assert (verdict.whole, verdict.size) == (True, 8)
    (said,) = await verdicts(grown)
    assert (said["size"], said["differences"], said["named"], said["v"]) == (8, 0, [], 2)
    assert (await look(grown)).whole, "an event that waits for its leaf is no difference"


@pytest.mark.parametrize(("statements", "named"), CHANGES.values(), ids=CHANGES)
async def test_what_was_changed_in_the_database_is_named_in_the_log(
    log: Log, grown: Log, statements: list[str], named: str
) -> None:
    event = str(await grown.one("SELECT event_id FROM audit_leaf WHERE index = 4"))
    swapped = str(await grown.one("SELECT event_id FROM audit_leaf WHERE index = 2"))
    other = str(uuid4())
    log.tamper(*(each.format(event=event, swapped=swapped, other=other) for each in statements))
    lines = list((await look(grown)).lines())
    assert named.format(event=event, other=other) in lines, lines
    (logged,) = await verdicts(grown)
    assert logged["differences"] == len(lines)
    assert named.format(event=event, other=other) in logged["named"]


async def test_one_bit_of_a_tile_is_named_by_tile_and_leaf(grown: Log) -> None:
    tile = grown.config.path("log", "tile", "0", "000.p", "8")
    data = bytearray(tile.read_bytes())
    data[5 * 32 + 3] ^= 1
    tile.write_bytes(bytes(data))
    assert list((await look(grown)).lines()) == ["log.tile: 0/000.p/8, leaf 5"]


@pytest.mark.parametrize("tile", ["0/000.p/6", "entries/000.p/6"])
async def test_one_bit_of_an_older_partial_tile_is_named_too(log: Log, grown: Log, tile: str) -> None:
    """Who holds an older checkpoint is served that."""
    path = grown.config.path("log", "tile", *tile.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    published = DiskLog(grown.config.path("log"))
    wanted = parse_tile(tile)
    assert wanted
    data = read_tile(published, wanted)
    assert data
    path.write_bytes(data)
    for beside in ("7.draft", "9"):  # neither is spoken of by a checkpoint
        path.with_name(beside).write_bytes(b"x")
    assert list((await look(grown)).lines()) == []
    path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    assert list((await look(grown)).lines()) == [f"log.tile: {tile}"]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 65_535, 65_536, 65_793 + 255 * 256])
def test_partial_tiles_that_are_looked_for_are_all_that_a_log_ever_had_of_tiles_not_yet_full(size: int) -> None:
    full = {(tile.level, tile.index): tile.width for tile in tiles_of(size)}
    wanted = {
        Tile(level, index, narrow)
        for (level, index), width in full.items() if width < WIDTH
        for narrow in range(1, width)
    }  # fmt: skip
    found = list(of_last(size))
    assert set(found) == wanted
    assert len(found) == len(wanted)


async def test_a_checkpoint_that_others_saw_is_not_taken_back(grown: Log) -> None:
    """What is shown outside the database holds, whatever the database says."""
    shown = grown.config.path("log", "checkpoint")
    shown.write_text(shown.read_text().replace("\n8\n", "\n9\n"))
    lines = list((await look(grown)).lines())
    assert "note.forged: sandulieu.local/log" in lines
    assert "log.checkpoint_forged: None" in lines


async def test_one_process_audits_once_a_night(log: Log, grown: Log) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    async def due(at: datetime) -> bool:
        return await audit_if_due(grown.database, grown.keys, grown.config, at)

    assert not await due(last_due(datetime.now(UTC), grown.config.audit_hour_utc)), "it has no night behind it"
    async with log.database.session() as elsewhere:
        assert await elsewhere.scalar(TURN)
        assert not await due(tomorrow), "another process is at it"
    assert await due(tomorrow)
    assert not await due(tomorrow)
    assert await due(tomorrow + timedelta(days=1))


async def test_a_verdict_that_is_dated_ahead_of_the_clock_silences_no_other_night(log: Log, grown: Log) -> None:
    now = datetime.now(UTC)
    ahead = now + timedelta(days=90)
    await tell(grown.database, grown.keys, Verdict(size=8, rows=(), published=(), books=()), at=ahead)
    for nights in (1, 2):
        assert await audit_if_due(grown.database, grown.keys, grown.config, now + timedelta(days=nights))


@pytest.mark.parametrize(
    "body",
    [
        {"size": 8, "differences": 0, "named": []},
        {"size": 8, "differences": 0, "named": [], "looked_at_ms": 0, "seal": "00" * 32, "v": 2},
        {"looked_at_ms": "soon", "seal": None, "v": 2},
    ],
    ids=["of before", "with a seal of its own", "malformed"],
)
async def test_a_verdict_that_was_put_into_the_database_silences_no_night_and_is_named(
    log: Log, grown: Log, body: dict[str, Any]
) -> None:
    """Written as `record` writes: the sequencer gives it a leaf like any other."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    if body.get("looked_at_ms") == 0:
        body = {**body, "looked_at_ms": ms_of(tomorrow)}
    assert (await look(grown)).whole
    forged, salt, at = uuid4(), b"s" * 16, tomorrow.replace(microsecond=0)
    event = dict.fromkeys(EVENT_FIELDS) | {
        "id": str(forged), "at": ms_of(at), "name": "log:audit", "parties": [], "body": body
    }  # fmt: skip
    log.tamper(
        f"INSERT INTO event (id, at, name, parties, body, commitment) VALUES ('{forged}', '{at.isoformat()}',"
        f" 'log:audit', '{{}}', '{json.dumps(body)}', '\\x{commitment(salt, exact(event)).hex()}')",
        f"INSERT INTO event_salt (event_id, salt, secrets) VALUES ('{forged}', '\\x{salt.hex()}', '{{}}')",
        f"INSERT INTO pending_leaf (event_id) VALUES ('{forged}')",
    )
    assert await audit_if_due(grown.database, grown.keys, grown.config, tomorrow)
    assert [f"log.verdict_forged: {forged}"] in [each.get("named") for each in await verdicts(grown)]


async def test_what_takes_long_keeps_its_snapshot_and_its_turn(
    log: Log, grown: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends a session that lies idle in a transaction for two minutes; a night's sums take longer."""
    found = Verdict(size=8, rows=(), published=(), books=())

    async def slowly(database: Database, *_: object) -> Verdict:
        async with database.snapshot() as session:
            await session.execute(text("select 1"))
            await asyncio.sleep(0.7)
            await session.execute(text("select 1"))
        return found

    told = []

    async def note(_: Database, __: Keys, verdict: Verdict, *, at: datetime) -> None:
        told.append(verdict)

    monkeypatch.setattr(engine, "OPTIONS", "-c idle_in_transaction_session_timeout=500")
    monkeypatch.setattr(jobs, "look", slowly)
    monkeypatch.setattr(jobs, "tell", note)
    database = open_database(log.config, connections=2)
    try:
        assert await audit_if_due(database, grown.keys, grown.config, datetime.now(UTC) + timedelta(days=1))
    finally:
        await database.close()
    assert told == [found]


async def test_what_was_found_is_told_though_the_log_takes_no_verdict(
    log: Log, grown: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log.tamper("DELETE FROM audit_leaf WHERE index = 4")
    ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"

    async def away(*_: object, at: datetime) -> None:
        log.tamper(ended)
        raise DatabaseUnavailable

    monkeypatch.setattr(jobs, "tell", away)
    with caplog.at_level(logging.CRITICAL), pytest.raises(DatabaseUnavailable):
        await audit_if_due(grown.database, grown.keys, grown.config, datetime.now(UTC) + timedelta(days=1))
    assert "the nightly audit found log.leaf_missing: 4" in caplog.text
    assert await verdicts(grown) == []


@pytest.mark.parametrize("slow", ["open_checkpoint", "commitment"])
async def test_others_are_served_while_the_sums_are_done(
    grown: Log, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    loop, original = asyncio.get_running_loop(), getattr(check, slow)

    def waits_for_the_loop(*arguments: Any) -> Any:
        served = threading.Event()
        loop.call_soon_threadsafe(served.set)
        assert served.wait(5), "nothing else ran"
        return original(*arguments)

    monkeypatch.setattr(check, slow, waits_for_the_loop)
    assert (await inspect(grown.database, grown.keys, grown.config)).whole


async def test_checkpoints_are_read_in_parts_and_none_is_passed_over(
    log: Log, grown: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "CHUNK_CHECKPOINTS", 1)
    log.tamper("UPDATE checkpoint SET note = replace(note, 'sandulieu', 'other')")
    lines = [f"{each.code}: {each.where}" for each in await grown.findings()]
    assert lines == ["log.checkpoint_forged: 6", "log.checkpoint_forged: 8"]


def test_the_hour_is_the_last_one_that_struck() -> None:
    night = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
    assert last_due(night, 18) == night
    assert last_due(night - timedelta(microseconds=1), 18) == night - timedelta(days=1)
    assert last_due(night + timedelta(hours=23), 18) == night


async def test_the_command_audits_at_once(
    log: Log, grown: Log, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit_home, "load", lambda: grown.config)
    monkeypatch.setattr(engine, "database_url", lambda _: database_url(log.config))
    monkeypatch.setattr(audit_home, "Keys", lambda _: grown.keys)
    assert await asyncio.to_thread(run, "check", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "size": 8, "differences": []}
    log.tamper("DELETE FROM audit_leaf WHERE index = 4")
    assert await asyncio.to_thread(run, "check") == 1
    said = capsys.readouterr()
    assert "log.leaf_missing: 4" in said.out
    for told in (message("log.leaf_missing", {"where": "4"}, "en").what, message("log.differs", {}, "vi").next):
        assert told in said.err, "a stranger reads what it means and what to do"
    assert [each["size"] for each in await verdicts(grown)] == [8, 8]
