"""What is shown of the log is always whole: at any power cut, on a full disk, beside rivals, on an old backup."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from marketplace.audit import actions, publishing
from marketplace.audit.actions import record
from marketplace.audit.disk import DiskLog, DiskWriting
from marketplace.audit.proofs import newest_checkpoint
from marketplace.audit.published import PublishedBroken, PublisherBusy
from marketplace.audit.publishing import LogRolledBack, publish, rolled_back
from marketplace.audit.sequencer import run_sequencer
from marketplace.db.base import utcnow
from marketplace.db.keys import Keys
from marketplace.db.together import Unit
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.power import Disk, PowerCut, Survival
from tests.marketplace.audit.reader import read_checkpoint, read_log, root_of, sha256

SURVIVALS: tuple[Survival, ...] = ("nothing", "everything", "some")


async def grow(log: Log, count: int) -> None:
    async with log.database.session() as session:
        for n in range(count):
            await record(session, "test:use", dataset_id=uuid4(), body={"n": n})
    await log.sequence()


def on(disk: Disk) -> DiskLog:
    return DiskLog(disk.home / "log", system=disk, files_at_once=1)


def shown(folder: Path, log: Log) -> tuple[int, bytes] | None:
    """The checkpoint that a reader gets now; whatever it gets has all its tiles."""
    note = DiskLog(folder / "log").checkpoint()
    if note is None:
        return None
    read_log(folder / "log", str(log.key))
    return read_checkpoint(note, str(log.key))


async def test_what_is_published_is_what_an_independent_reader_wants(log: Log) -> None:
    folder = log.config.path("log")
    seen = []
    for count in (1, 254, 1, 1, 300):
        await grow(log, count)
        leaves = read_log(folder, str(log.key))
        seen.append(read_checkpoint((folder / "checkpoint").read_text(), str(log.key)))
        for size, root in seen:
            assert root_of([sha256(b"\x00", leaf) for leaf in leaves[:size]]) == root, "as all before"
    assert [size for size, _ in seen] == [1, 255, 256, 257, 557]


async def test_the_power_may_fail_at_every_call_of_the_writer(log: Log, tmp_path: Path) -> None:
    """Then what was shown stands or what was to be shown does, whole; and the next start shows all of it."""
    before, numbers = Disk(tmp_path / "0"), itertools.count(1)
    before.home.mkdir()
    for count in (5, 255):
        await grow(log, count)
        whole = before.twin(tmp_path / str(next(numbers)), cut_at=None)
        size = await publish(log.database, on(whole), log.key)
        was, will = shown(before.home, log), shown(whole.home, log)
        assert whole.calls > 20
        for cut_at in range(whole.calls):
            cut = before.twin(tmp_path / str(next(numbers)), cut_at=cut_at)
            with pytest.raises(PowerCut):
                await publish(log.database, on(cut), log.key)
            assert shown(cut.home, log) in (was, will), "to who read it in that instant"
            for survival in SURVIVALS:
                home = cut.survivor(tmp_path / str(next(numbers)), survival, seed=cut_at)
                assert shown(home, log) in (was, will)
                assert await publish(log.database, on(Disk(home)), log.key) == size
                assert shown(home, log) == will
        before = whole.twin(tmp_path / str(next(numbers)), cut_at=None)


class Full:
    """A disk without room, until there is some."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, handle: int, data: bytes, /) -> int:
        if self.room_bytes <= 0:
            raise OSError(errno.ENOSPC, "no space left on device")
        written = os.write(handle, data[: self.room_bytes])
        self.room_bytes -= written
        return written


async def test_a_full_disk_shows_what_it_showed_and_all_of_it_when_there_is_room(
    log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await grow(log, 20)
    full = DiskLog(log.config.path("log"), system=Full(3_000))
    with monkeypatch.context() as patched:
        patched.setattr("marketplace.audit.sequencer.published_log", lambda _: full)
        with pytest.raises(OSError, match="no space"):
            await grow(log, 280)
        stop = asyncio.Event()
        loop = asyncio.create_task(run_sequencer(log.database, log.keys, log.config, stop))
        await asyncio.sleep(0.2)
        stop.set()
        await asyncio.wait_for(loop, 5)
    assert any("cannot be published" in each.message for each in caplog.records if each.levelname == "CRITICAL")
    assert len(read_log(log.config.path("log"), str(log.key))) == 20
    async with log.database.session() as session:
        newest = await newest_checkpoint(session)
    assert newest is not None
    assert newest.size == 20, "receipts stand on what is shown"
    await log.sequence()
    assert len(read_log(log.config.path("log"), str(log.key))) == 300
    assert await log.findings() == ()


async def test_two_sequencers_at_once_show_one_log(log: Log) -> None:
    async def busy() -> None:
        for _ in range(5):
            await grow(log, 11)

    await asyncio.gather(busy(), busy(), *(log.sequence() for _ in range(4)))
    assert len(read_log(log.config.path("log"), str(log.key))) == 110
    assert await log.findings() == ()


def test_one_alone_writes(log: Log) -> None:
    with log.published.writing(), pytest.raises(PublisherBusy), log.published.writing():
        pass
    with log.published.writing():
        pass


async def test_a_clock_set_back_changes_no_order(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    await grow(log, 3)
    monkeypatch.setattr(actions, "utcnow", lambda: utcnow() - timedelta(days=2))
    await grow(log, 3)
    assert len(read_log(log.config.path("log"), str(log.key))) == 6
    assert await log.findings() == ()


async def test_a_database_restored_from_an_old_backup_is_refused_until_it_holds_what_was_shown(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    await grow(log, 4)
    await grow(log, 4)
    note = log.published.checkpoint()
    log.tamper(
        "DELETE FROM event WHERE id IN (SELECT event_id FROM audit_leaf WHERE index >= 4)",
        "DELETE FROM audit_leaf WHERE index >= 4",
        "DELETE FROM audit_node WHERE (index + 1) << level::int > 4",
        "DELETE FROM published WHERE size = 8",
        "DELETE FROM checkpoint WHERE size = 8",
    )
    assert await rolled_back(log.database, log.published, log.key)
    async with log.database.session() as session:
        await record(session, "test:event")
    with pytest.raises(LogRolledBack, match="older backup"):
        await log.sequence()
    with pytest.raises(LogRolledBack):
        await publish(log.database, log.published, log.key)
    stop = asyncio.Event()
    loop = asyncio.create_task(run_sequencer(log.database, log.keys, log.config, stop))
    await asyncio.sleep(0.2)
    stop.set()
    await asyncio.wait_for(loop, 5)
    assert [each.levelname for each in caplog.records if "older backup" in each.message] == ["CRITICAL"]
    assert await log.one("SELECT count(*) FROM audit_leaf") == 4, "no leaf is given on top of it"
    assert log.published.checkpoint() == note


async def test_a_database_that_grew_elsewhere_is_refused(log: Log) -> None:
    await grow(log, 4)
    await grow(log, 4)
    assert not await rolled_back(log.database, log.published, log.key)
    log.tamper("UPDATE checkpoint SET root = sha256(root) WHERE size = 8")
    assert await rolled_back(log.database, log.published, log.key)
    with pytest.raises(LogRolledBack):
        await log.sequence()


async def test_a_shown_checkpoint_put_back_to_an_older_one_is_shown_anew(log: Log) -> None:
    await grow(log, 4)
    older = log.published.checkpoint()
    assert older
    await grow(log, 300)
    log.config.path("log", "checkpoint").write_text(older)
    assert await log.sequence() == 0
    assert len(read_log(log.config.path("log"), str(log.key))) == 304


class Slow(DiskLog):
    """Writing that ends only when somebody else has had a turn."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ending, self.go = threading.Event(), threading.Event()
        self.waited = False

    @contextlib.contextmanager
    def writing(self) -> Iterator[DiskWriting]:
        with super().writing() as writing:
            try:
                yield writing
            finally:
                self.ending.set()
                self.waited = self.go.wait(5)


async def test_what_is_still_being_written_is_waited_for_beside_the_others(log: Log) -> None:
    """After one write has failed the rest of them may take as long as a store pleases."""
    slow = Slow(log.config.path("log"))
    publishing_now = asyncio.create_task(publish(log.database, slow, log.key))
    await asyncio.to_thread(slow.ending.wait, 5)
    slow.go.set()
    await publishing_now
    assert slow.waited


async def test_a_checkpoint_of_another_key_is_not_followed(log: Log, tmp_path: Path) -> None:
    await grow(log, 2)
    with pytest.raises(PublishedBroken):
        await publish(log.database, log.published, Log(log.database, log.config, Keys(tmp_path / "new")).key)


async def test_lost_files_are_written_again_from_the_database(log: Log, tmp_path: Path) -> None:
    await grow(log, 300)
    log.config.path("log").rename(tmp_path / "lost")
    assert await log.sequence() == 0
    assert read_log(log.config.path("log"), str(log.key)) == read_log(tmp_path / "lost", str(log.key))


async def test_what_was_shown_before_its_row_was_written_gets_its_row(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(log, 2)
    send = Unit.send

    async def killed(unit: Unit, statements: Any) -> Any:
        if any("published" in str(each.sql) for each in statements):
            raise ZeroDivisionError
        return await send(unit, statements)

    with monkeypatch.context() as patched:
        patched.setattr(Unit, "send", killed)
        with pytest.raises(ZeroDivisionError):
            await grow(log, 2)
    assert await log.one("SELECT max(size) FROM published") == 2
    await log.sequence()
    assert await log.one("SELECT max(size) FROM published") == 4


async def test_a_long_backlog_is_shown_in_steps(log: Log, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for _ in range(5):
        await grow(log, 3)
    monkeypatch.setattr(publishing, "STEP_LEAVES", 6)
    sizes: list[int] = []
    disk = DiskLog(tmp_path / "log")

    async def show(*arguments: Any) -> None:
        sizes.append(arguments[3])
        await original(*arguments)

    original = publishing._show
    monkeypatch.setattr(publishing, "_show", show)
    assert await publish(log.database, disk, log.key) == 15
    assert sizes == [6, 12, 15]
