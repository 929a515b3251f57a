"""The public log as a folder of static files (C2SP tlog-tiles): anyone may keep it, serve it, and check it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.proofs import newest_checkpoint
from marketplace.audit.tiles import HEIGHT, WIDTH, Tile, read_tile, tile_path
from marketplace.verifier.note import VerifierKey


class ExportBroken(ValueError):
    """The database lacks a part of the log."""


async def export_log(session: AsyncSession, folder: Path, key: VerifierKey) -> int:
    """Write checkpoint, key, tiles and entry bundles below `folder`; the number of leaves. Full tiles are kept."""
    checkpoint = await newest_checkpoint(session)
    size = 0 if checkpoint is None else checkpoint.size
    for tile in tiles_of(size):
        path = folder / "tile" / tile_path(tile)
        if path.exists() and tile.width == WIDTH:
            continue
        data = await read_tile(session, tile)
        if data is None:
            raise ExportBroken(f"the log lacks tile {tile_path(tile)}")
        _write(path, data)
    _write(folder / "key", f"{key}\n".encode())
    if checkpoint is not None:
        _write(folder / "checkpoint", checkpoint.note.encode())
    return size


def tiles_of(size: int) -> list[Tile]:
    """Every tile and entry bundle of a log of `size` leaves."""
    tiles = [Tile(None, *span) for span in _spans(size)]
    level = 0
    while size >> (level * HEIGHT):
        tiles += [Tile(level, *span) for span in _spans(size >> (level * HEIGHT))]
        level += 1
    return tiles


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _spans(count: int) -> list[tuple[int, int]]:
    """(index, width) of the tiles over `count` hashes."""
    full = [(index, WIDTH) for index in range(count // WIDTH)]
    return full + ([(count // WIDTH, count % WIDTH)] if count % WIDTH else [])
