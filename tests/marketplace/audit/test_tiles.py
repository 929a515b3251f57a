"""Tiles by the letter of C2SP tlog-tiles, and the log as a folder that anybody can check."""

from __future__ import annotations

import hashlib
import re
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.audit import tree
from marketplace.audit.actions import record
from marketplace.audit.export import export_log
from marketplace.audit.published import read_tile
from marketplace.audit.tiles import Tile, parse_tile, tile_path, tiles_of
from marketplace.verifier.folder import check_log
from tests.marketplace.audit.conftest import Log

levels = st.none() | st.integers(0, 7)


@given(levels, st.integers(0, 10**15), st.integers(1, 256))
def test_a_path_is_read_back_as_written(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_tile(tile_path(tile)) == tile


def test_a_path_is_spelled_as_the_specification_spells_it() -> None:
    assert tile_path(Tile(0, 1_234_067, 256)) == "0/x001/x234/067"
    assert tile_path(Tile(None, 5, 17)) == "entries/005.p/17"


@pytest.mark.parametrize(
    "path",
    [
        "0/1",
        "0/x000/001",
        "00/001",
        "0/001.p/0",
        "0/001.p/256",
        "0/001.p/01",
        "8/000",
        "0/001/",
        "0/٠٠١",
        "x/001",
        "",
    ],
)
def test_another_spelling_is_no_tile(path: str) -> None:
    assert parse_tile(path) is None


@given(st.integers(0, 70_000))
def test_tiles_cover_every_leaf_once(size: int) -> None:
    tiles = tiles_of(size)
    for level in (None, 0):
        assert sum(tile.width for tile in tiles if tile.level == level) == size
    assert sum(tile.width for tile in tiles if tile.level == 1) == size // 256
    assert len(set(tiles)) == len(tiles)


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_what_a_log_that_grew_lacks_is_what_changed(one: int, other: int) -> None:
    before, after = sorted((one, other))
    assert set(tiles_of(after, since=before)) == set(tiles_of(after)) - set(tiles_of(before))


async def fill(log: Log, count: int) -> None:
    async with log.database.session() as session:
        for _ in range(count):
            await record(session, "test:event")
    await log.sequence()


async def test_hashes_of_a_tile_are_those_of_its_subtrees(log: Log) -> None:
    await fill(log, 260)
    bottom = read_tile(log.published, Tile(0, 0, 256))
    top = read_tile(log.published, Tile(1, 0, 1))
    part = read_tile(log.published, Tile(0, 1, 4))
    assert read_tile(log.published, Tile(0, 1, 5)) is None
    assert bottom is not None
    hashes = [bottom[at : at + 32] for at in range(0, 256 * 32, 32)]
    while len(hashes) > 1:
        hashes = [tree.node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    assert hashes == [top]
    assert part is not None
    assert len(part) == 4 * 32


async def test_a_partial_tile_of_a_log_that_has_grown_is_still_there(log: Log) -> None:
    await fill(log, 20)
    was = {level: read_tile(log.published, Tile(level, 0, 20)) for level in (None, 0)}
    for more in (7, 300):
        await fill(log, more)
        for level in (None, 0):
            assert read_tile(log.published, Tile(level, 0, 20)) == was[level]
            narrow, wide = (read_tile(log.published, Tile(level, 0, width)) for width in (9, 21))
            assert narrow
            assert wide
            assert wide.startswith(narrow)
    assert list((log.config.path("log") / "tile" / "0").glob("000.p")) == [], "a full tile has replaced them"


async def exported(log: Log, folder: Path) -> Path:
    async with log.database.session() as session:
        await export_log(session, log.published, folder, log.key)
    return folder


def wrong(folder: Path, log: Log, *seen: bytes) -> list[str]:
    return [check.code for check in check_log(folder, log.key, seen=seen) if not check.ok]


async def test_an_exported_log_checks_offline_and_grows(log: Log, tmp_path: Path) -> None:
    await fill(log, 300)
    folder = await exported(log, tmp_path / "log")
    kept = (folder / "checkpoint").read_bytes()
    assert wrong(folder, log) == []
    await fill(log, 300)
    assert wrong(await exported(log, folder), log, kept) == []
    assert (folder / "key").read_text() == f"{log.key}\n"


async def test_an_export_that_was_cut_short_is_made_whole_by_the_next(log: Log, tmp_path: Path) -> None:
    """A bundle of 256 leaves has 37,120 bytes: it is the first file that this disk has no room for."""
    await fill(log, 300)
    folder, limits = tmp_path / "log", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            await exported(log, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert wrong(await exported(log, folder), log) == []


async def test_an_exported_log_with_anything_changed_is_refused(log: Log, tmp_path: Path) -> None:
    await fill(log, 20)
    folder = await exported(log, tmp_path / "log")
    entries = folder / "tile" / "entries" / "000.p" / "20"
    data = entries.read_bytes()
    commitment = re.search(rb'"c":"([0-9a-f]{64})"', data)
    assert commitment is not None
    entries.write_bytes(data.replace(commitment[1], hashlib.sha256(data).hexdigest().encode()))
    assert wrong(folder, log) == ["log.tile"]
    entries.write_bytes(data[:-1])
    assert wrong(folder, log) == ["log.bundle"]
    (folder / "checkpoint").write_text((folder / "checkpoint").read_text().replace("\n20\n", "\n19\n"))
    assert wrong(folder, log) == ["note.forged"]
