"""The public log as a folder of static files (C2SP tlog-tiles): anyone may keep it, serve it, and check it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.models import AuditLeaf, Event, EventSalt
from marketplace.audit.proofs import newest_checkpoint
from marketplace.audit.reads import completeness, event_of
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


async def export_dataset(session: AsyncSession, path: Path, dataset_id: UUID, salt_key: bytes) -> int:
    """Write what `verify --dataset` reads: the key of the dataset's chain, and its events; how many."""
    told = [msgspec.json.encode(await completeness(session, dataset_id, salt_key=salt_key))]
    rows = await session.stream(
        select(Event, EventSalt.salt, AuditLeaf)
        .join(AuditLeaf, AuditLeaf.event_id == Event.id)
        .outerjoin(EventSalt, EventSalt.event_id == Event.id)
        .where(AuditLeaf.dataset_id == dataset_id)
        .order_by(AuditLeaf.index)
    )
    async for event, salt, leaf in rows:
        opened = event_of(event) | {
            "commitment": event.commitment.hex(),
            "salt": salt.hex() if salt else None,
            "leaf_index": leaf.index,
            "dataset_counter": leaf.dataset_counter,
            "dataset_previous": leaf.dataset_previous,
        }
        told.append(msgspec.json.encode(opened))
    _write(path, b"\n".join([*told, b""]))
    return len(told) - 1


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _spans(count: int) -> list[tuple[int, int]]:
    """(index, width) of the tiles over `count` hashes."""
    full = [(index, WIDTH) for index in range(count // WIDTH)]
    return full + ([(count // WIDTH, count % WIDTH)] if count % WIDTH else [])
