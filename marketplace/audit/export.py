"""The public log as a folder of static files (C2SP tlog-tiles): anyone may keep it, serve it, and check it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.disk import write_whole
from marketplace.audit.errors import NoUses
from marketplace.audit.models import AuditLeaf, Event, EventSalt
from marketplace.audit.proofs import with_cosignatures
from marketplace.audit.published import PublishedLog, read_tile, shown_size
from marketplace.audit.reads import completeness, event_of
from marketplace.audit.tiles import WIDTH, tile_path, tiles_of
from marketplace.verifier.note import VerifierKey


class ExportBroken(ValueError):
    """The published log lacks a part of itself."""


async def export_log(session: AsyncSession, log: PublishedLog, folder: Path, key: VerifierKey) -> int:
    """Write checkpoint, key, tiles and entry bundles below `folder`; the number of leaves. Full tiles are kept.

    Raises ExportBroken, OSError."""
    note = log.checkpoint()
    size = shown_size(note)
    for tile in tiles_of(size):
        path = folder / "tile" / tile_path(tile)
        if path.exists() and tile.width == WIDTH:
            continue
        data = read_tile(log, tile)
        if data is None:
            raise ExportBroken(f"the log lacks tile {tile_path(tile)}")
        _write(path, data)
    _write(folder / "key", f"{key}\n".encode())
    if note is not None:
        _write(folder / "checkpoint", (await with_cosignatures(session, note)).encode())
    return size


async def export_dataset(session: AsyncSession, path: Path, dataset_id: UUID, salt_key: bytes) -> int:
    """Write what `verify --dataset` reads: the key of the dataset's chain, and its events; how many.

    Raises NoUses, and writes nothing, where the log has no leaf in its chain."""
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
    if len(told) == 1:
        raise NoUses(dataset=str(dataset_id))
    _write(path, b"\n".join([*told, b""]))
    return len(told) - 1


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
