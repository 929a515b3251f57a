"""Archived months prove themselves alone; what is changed, left out or erased in them is found."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.audit.actions import record
from marketplace.calendar import VIETNAM
from marketplace.cli.main import main
from marketplace.db import embedded
from marketplace.db.engine import database_url
from marketplace.db.roles import OWNER
from marketplace.oversight.archive import archive_due, forget_erased
from marketplace.oversight.archive_files import (
    EVENTS,
    MANIFEST,
    SALTS,
    ArchiveBroken,
    read_manifest,
    sha256_of,
    verify_archive,
)
from marketplace.oversight.months import Month, ended
from tests.marketplace.audit.conftest import Log

JANUARY, FEBRUARY = "2026-01", "2026-02"
MAY = datetime(2026, 5, 2, tzinfo=UTC)


@pytest.fixture
async def ended_months(log: Log) -> Log:
    """January with 300 events, February with three, March with one: as of May the first two are due."""
    for count, day in ((300, "2026-01-31 16:59:59Z"), (3, "2026-02-01 00:00:00+07"), (1, "2026-03-05")):
        async with log.database.session() as session:
            for n in range(count):
                await record(session, "test:event", body={"n": n, "text": "Dân số"}, secrets={"said": "ông A"})
        await log.sequence()
        log.tamper(f"UPDATE checkpoint SET at = '{day}' WHERE size = (SELECT max(size) FROM checkpoint)")
    return log


@pytest.fixture
async def months(ended_months: Log, tmp_path: Path) -> Path:
    """Where the two are archived."""
    log, folder = ended_months, tmp_path / "archive"
    assert await archive_due(log.database, folder, at=MAY) == [JANUARY, FEBRUARY]
    return folder


async def test_a_month_proves_itself_with_nothing_but_the_key(log: Log, months: Path) -> None:
    counted = {month: verify_archive(months / month, log.key) for month in (JANUARY, FEBRUARY)}
    assert [(each.events, each.opened) for each in counted.values()] == [(300, 300), (3, 3)]
    names = {file.name for file in read_manifest(months / JANUARY).files}
    assert read_manifest(months / JANUARY).keep_until == "2036-01"
    assert {"checkpoint", EVENTS, SALTS, "tile/0/000", "tile/entries/000", "tile/entries/001.p/44"} <= names
    assert not {"tile/0/000"} & {file.name for file in read_manifest(months / FEBRUARY).files}


async def test_of_several_who_archive_at_once_one_writes_and_tells(ended_months: Log, tmp_path: Path) -> None:
    log, folder = ended_months, tmp_path / "archive"
    made = await asyncio.gather(*(archive_due(log.database, folder, at=MAY) for _ in range(3)))
    assert sorted(made) == [[], [], [JANUARY, FEBRUARY]]
    assert [verify_archive(folder / month, log.key).opened for month in (JANUARY, FEBRUARY)] == [300, 3]
    assert await log.one("SELECT count(*) FROM event WHERE name = 'log:archive'") == 2
    log.tamper("DELETE FROM event_salt WHERE event_id = (SELECT event_id FROM audit_leaf WHERE index = 7)")
    made = await asyncio.gather(*(forget_erased(log.database, folder) for _ in range(3)))
    assert sorted(made) == [[], [], [JANUARY]]
    assert verify_archive(folder / JANUARY, log.key).opened == 299


async def test_no_archive_holds_a_salt_of_what_a_person_said(log: Log, months: Path) -> None:
    with psycopg.connect(embedded.url(log.config.home, OWNER)) as connection:
        rows = connection.execute("SELECT secrets ->> 'said' FROM event_salt WHERE secrets <> '{}'").fetchall()
    assert len(rows) == 304
    held = _everything(months)
    assert "ông A" not in held
    assert not any(salt in held for (salt,) in rows)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _everything(folder: Path) -> str:
    """What the files hold, unpacked; bytes as hex."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    tables = [pa.parquet.read_table(path) for path in files if path.suffix == ".parquet"]
    cells = [cell for table in tables for row in table.to_pylist() for cell in row.values()]
    texts = [cell.hex() if isinstance(cell, bytes) else str(cell) for cell in cells]
    return "\n".join([*texts, *(path.read_bytes().hex() for path in files)])


async def test_a_month_is_written_once_and_told_with_its_manifest(log: Log, months: Path) -> None:
    assert await archive_due(log.database, months, at=MAY) == []
    told = await log.one("SELECT body FROM event WHERE name = 'log:archive' ORDER BY at, id LIMIT 1")
    assert told["manifest_sha256"] == sha256_of(months / JANUARY / MANIFEST)
    assert (told["month"], told["first"], told["size"], told["salts"]) == (JANUARY, 0, 300, 300)
    assert _names(months) == [JANUARY, FEBRUARY]


async def test_an_erased_salt_leaves_the_archive_too_and_the_rest_still_proves(log: Log, months: Path) -> None:
    before = (months / JANUARY / EVENTS).read_bytes()
    log.tamper(
        "DELETE FROM event_salt WHERE event_id = (SELECT event_id FROM audit_leaf WHERE index = 7)",
        "UPDATE event SET body = '{}' WHERE id = (SELECT event_id FROM audit_leaf WHERE index = 8)",
    )
    assert await archive_due(log.database, months, at=MAY) == [], "nothing is counted at every look"
    assert await forget_erased(log.database, months) == [JANUARY]
    verified = verify_archive(months / JANUARY, log.key)
    assert (verified.events, verified.opened) == (300, 299)
    assert (months / JANUARY / EVENTS).read_bytes() == before, "what was done to the database came into the copy"
    assert await forget_erased(log.database, months) == []


async def test_a_broken_month_is_told_and_stops_no_other(ended_months: Log, tmp_path: Path) -> None:
    log, folder = ended_months, tmp_path / "archive"
    (folder / JANUARY).mkdir(parents=True)
    (folder / JANUARY / MANIFEST).write_text("{")
    with pytest.raises(ArchiveBroken, match=JANUARY):
        await archive_due(log.database, folder, at=MAY)
    february = verify_archive(folder / FEBRUARY, log.key)
    assert (february.events, february.opened, read_manifest(folder / FEBRUARY).first) == (3, 3, 300)
    log.tamper("DELETE FROM event_salt WHERE event_id = (SELECT event_id FROM audit_leaf WHERE index = 301)")
    with pytest.raises(ArchiveBroken, match=JANUARY):
        await forget_erased(log.database, folder)
    assert verify_archive(folder / FEBRUARY, log.key).opened == 2


def _rewritten(folder: Path, change: str) -> None:
    """The events changed, and a manifest that fits the changed file."""
    table = pa.parquet.read_table(folder / EVENTS).to_pylist()
    if change == "edited":
        table[5]["event"] = table[5]["event"].replace("Dân số", "Dan so")
    elif change == "removed":
        del table[5]
    elif change == "leaf changed":
        table[5]["leaf_data"] = table[6]["leaf_data"]
    elif change == "cut short":
        table.pop()
    pa.parquet.write_table(pa.Table.from_pylist(table), folder / EVENTS)
    _stated(folder)


def _stated(folder: Path, **changed: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_bytes()) | changed
    for file in manifest["files"]:
        file["sha256"] = sha256_of(folder / file["name"])
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))


@pytest.mark.parametrize("change", ["edited", "removed", "leaf changed", "cut short"])
async def test_whatever_is_changed_is_found_though_the_manifest_fits(log: Log, months: Path, change: str) -> None:
    _rewritten(months / JANUARY, change)
    with pytest.raises(ArchiveBroken):
        verify_archive(months / JANUARY, log.key)


async def test_a_file_that_is_not_what_the_manifest_says_is_found(log: Log, months: Path) -> None:
    tile = months / JANUARY / "tile" / "0" / "000"
    tile.write_bytes(tile.read_bytes()[:-1] + b"\0")
    with pytest.raises(ArchiveBroken, match="tile/0/000"):
        verify_archive(months / JANUARY, log.key)


async def test_other_roots_before_a_month_do_not_give_its_head(log: Log, months: Path) -> None:
    before = read_manifest(months / FEBRUARY).before
    _stated(months / FEBRUARY, before=["00" * 32, *before[1:]])
    with pytest.raises(ArchiveBroken):
        verify_archive(months / FEBRUARY, log.key)


async def test_the_command_checks_an_archived_month(
    log: Log, months: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["audit", "archive", str(months / JANUARY), "--key", str(log.key), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "month": JANUARY, "events": 300, "opened": 300}
    _rewritten(months / JANUARY, "edited")
    assert main(arguments) == 1


async def test_months_are_archived_by_hand_where_there_is_one_connection(
    ended_months: Log, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = ended_months.config
    monkeypatch.setenv("DATABASE_URL", database_url(config))
    monkeypatch.setenv("SANDULIEU_HOME", str(tmp_path))
    assert await asyncio.to_thread(main, ["audit", "archive", "--json"]) == 0
    assert JANUARY in json.loads(capsys.readouterr().out)["months"]
    assert verify_archive(tmp_path / "archive" / JANUARY, ended_months.key).events == 300


@given(
    since=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),
    at=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),
    ago=st.integers(0, 5),
)
def test_a_month_is_due_when_so_many_whole_months_have_passed(since: datetime, at: datetime, ago: int) -> None:
    begun, now = since.replace(tzinfo=VIETNAM), at.replace(tzinfo=VIETNAM)
    due = list(ended(begun, now, months_ago=ago))
    assert due == [Month(begun.year, begun.month).plus(n) for n in range(len(due))]
    assert all(month.plus(ago).ends <= now for month in due)
    after = due[-1].plus(1) if due else Month(begun.year, begun.month)
    assert after.plus(ago).ends > now
