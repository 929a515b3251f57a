"""Months of the log as files that prove themselves. The log itself keeps everything: nothing is deleted here.

A month is the leaves below the last head that was signed before it ended, and not in the month before. It is
written into a draft, told in the log, and then given its name; after a crash between, the next look begins anew.
Whoever writes holds the folder: service, worker and command may all look at once.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet
from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import sync
from marketplace.audit import tree
from marketplace.audit.actions import record
from marketplace.audit.canonical import exact
from marketplace.audit.models import AuditLeaf, Checkpoint, Event, EventSalt
from marketplace.audit.publishing import tile_files
from marketplace.audit.reads import event_of
from marketplace.audit.tiles import HEIGHT, WIDTH, Tile, tiles_of
from marketplace.claimed import Claim
from marketplace.db.base import ms_of
from marketplace.db.engine import Database
from marketplace.oversight.archive_files import (
    CHECKPOINT,
    EVENT_COLUMNS,
    EVENTS,
    MANIFEST,
    ROWS,
    SALT_COLUMNS,
    SALTS,
    ArchiveBroken,
    Manifest,
    described,
    file_of,
    read_manifest,
    sha256_of,
)
from marketplace.oversight.months import Month, ended
from policies.laws import law_at

LAW = "decree-53-2022.logs"
ARCHIVE = "archive"
"""Folder below home."""
DRAFT = ".draft"
TILES = 256
"""Read at once."""
_NODES = text("""
    SELECT level, index, hash FROM audit_node
    JOIN unnest(CAST(:levels AS bigint[]), CAST(:indexes AS bigint[])) AS wanted (level, index)
    USING (level, index)
    ORDER BY level DESC
""")
_SALTS_LEFT = text("""
    SELECT count(*) FROM audit_leaf JOIN event_salt USING (event_id)
    WHERE audit_leaf.index >= :first AND audit_leaf.index < :size
""")
_LEAVES_WITH_SALT = text("""
    SELECT audit_leaf.index FROM audit_leaf JOIN event_salt USING (event_id)
    WHERE audit_leaf.index >= :first AND audit_leaf.index < :size
""")


class Periods(Struct, frozen=True, kw_only=True):
    """Months that the law keeps logs, and after which they are archived beside the log."""

    keep_months: int
    archive_after_months: int


async def archive_due(database: Database, folder: Path, *, at: datetime) -> list[str]:
    """Write every month that is due and has leaves.

    Raises ArchiveBroken for months that cannot be read or written, once the others are."""
    law = law_at(LAW, ms_of(at))
    if law is None:
        return []
    periods = msgspec.convert(law.values, Periods)
    async with database.reading() as session:
        begun = await session.scalar(select(Checkpoint.at).order_by(Checkpoint.size).limit(1))
    if begun is None:
        return []
    months = list(ended(begun, at, months_ago=periods.archive_after_months))
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    held = await asyncio.to_thread(Claim, folder)
    try:
        return await _look(database, folder, months, periods)
    finally:
        held.release()


def _archived(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir() and each.suffix != DRAFT)


async def _look(database: Database, folder: Path, months: Iterable[Month], periods: Periods) -> list[str]:
    made, broken, first = [], [], 0
    for month in months:
        try:
            if (folder / month.name).exists():
                first = (await asyncio.to_thread(read_manifest, folder / month.name)).size
            elif (size := await _write(database, folder, month, first, periods)) is not None:
                made.append(month.name)
                first = size
        except (ValueError, OSError) as wrong:
            broken.append(f"{month.name}: {wrong}")
            async with database.reading() as session:
                head = await _head(session, month)
            first = head.size if head else first
    if broken:
        raise ArchiveBroken("; ".join(broken))
    return made


async def forget_erased(database: Database, folder: Path) -> list[str]:
    """Write anew the salts of archived months in which some were erased: every salt that is left is counted.

    Raises ArchiveBroken, as `archive_due` does."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    held = await asyncio.to_thread(Claim, folder)
    made, broken = [], []
    try:
        for target in await asyncio.to_thread(_archived, folder):
            try:
                if await _forgets(database, target, await asyncio.to_thread(read_manifest, target)):
                    made.append(target.name)
            except (ValueError, OSError) as wrong:
                broken.append(f"{target.name}: {wrong}")
    finally:
        held.release()
    if broken:
        raise ArchiveBroken("; ".join(broken))
    return made


async def _write(database: Database, folder: Path, month: Month, first: int, periods: Periods) -> int | None:
    """The size of the log at the month's end; None where nothing was added in it."""
    draft = folder / f"{month.name}{DRAFT}"
    async with database.reading() as session:
        head = await _head(session, month)
        if head is None or head.size <= first:
            return None
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        salts = await _events(session, draft, first, head.size)
        before = await _before(session, first)
    await _tiles(database, draft, first, head.size)
    (draft / CHECKPOINT).write_text(head.note)
    manifest = Manifest(
        month=month.name,
        first=first,
        size=head.size,
        before=before,
        salts=salts,
        law=LAW,
        keep_until=month.plus(periods.keep_months).name,
        files=await asyncio.to_thread(described, draft),
    )
    _state(draft / MANIFEST, manifest)
    await _tell(database, draft / MANIFEST, manifest)
    await asyncio.to_thread(_put, draft, folder / month.name)
    return head.size


async def _head(session: AsyncSession, month: Month) -> Checkpoint | None:
    """The last that was signed before the month ended."""
    before = select(Checkpoint).where(Checkpoint.at < month.ends)
    return await session.scalar(before.order_by(Checkpoint.size.desc()).limit(1))


async def _events(session: AsyncSession, draft: Path, first: int, size: int) -> int:
    """How many salts there are."""
    salts = 0
    events = pa.parquet.ParquetWriter(draft / EVENTS, EVENT_COLUMNS, compression="zstd")
    opened = pa.parquet.ParquetWriter(draft / SALTS, SALT_COLUMNS, compression="zstd")
    with events, opened:
        async for rows in _chunks(session, first, size):
            told = [(leaf.index, exact(event_of(event)).decode(), leaf.data.decode()) for event, _, leaf in rows]
            kept = [(leaf.index, salt) for _, salt, leaf in rows if salt is not None]
            events.write_table(_table(EVENT_COLUMNS, told))
            opened.write_table(_table(SALT_COLUMNS, kept))
            salts += len(kept)
    return salts


async def _chunks(session: AsyncSession, first: int, size: int) -> AsyncIterator[list[Any]]:
    query = (
        select(Event, EventSalt.salt, AuditLeaf)
        .select_from(AuditLeaf)
        .join(Event, Event.id == AuditLeaf.event_id)
        .outerjoin(EventSalt, EventSalt.event_id == Event.id)
        .order_by(AuditLeaf.index)
    )
    for start in range(first, size, ROWS):
        span = (AuditLeaf.index >= start, AuditLeaf.index < min(start + ROWS, size))
        yield list(await session.execute(query.where(*span)))
        session.expunge_all()


def _table(schema: pa.Schema, rows: list[Any]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)


async def _tiles(database: Database, draft: Path, first: int, size: int) -> None:
    tiles = [tile for tile in tiles_of(size) if _covers(tile) > first]
    for start in range(0, len(tiles), TILES):
        for path, data in (await tile_files(database, tiles[start : start + TILES])).items():
            target = draft / "tile" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def _covers(tile: Tile) -> int:
    """The first leaf behind the tile."""
    level = 0 if tile.level is None else tile.level * HEIGHT
    return (tile.index * WIDTH + tile.width) << level


async def _before(session: AsyncSession, first: int) -> tuple[str, ...]:
    nodes = tree.range_nodes(0, first)
    asked = {"levels": [level for level, _ in nodes], "indexes": [index for _, index in nodes]}
    return tuple(row.hash.hex() for row in await session.execute(_NODES, asked))


async def _forgets(database: Database, target: Path, manifest: Manifest) -> bool:
    """Take out of an archived month the salts that were erased since. The events stay as they were archived: what
    became of them in the database must not come into the copy."""
    async with database.reading() as session:
        asked = {"first": manifest.first, "size": manifest.size}
        if await session.scalar(_SALTS_LEFT, asked) == manifest.salts:
            return False
        left = set(await session.scalars(_LEAVES_WITH_SALT, asked))
    drafts = {name: target / f"{name}{DRAFT}" for name in (SALTS, MANIFEST)}
    salts = await asyncio.to_thread(_keep_salts, target / SALTS, drafts[SALTS], left)
    kept = tuple(file for file in manifest.files if file.name != SALTS)
    changed = msgspec.structs.replace(manifest, salts=salts, files=(*kept, file_of(drafts[SALTS], SALTS)))
    _state(drafts[MANIFEST], changed)
    await _tell(database, drafts[MANIFEST], changed)
    for name, draft in drafts.items():
        sync(draft)
        draft.replace(target / name)
    sync(target)
    return True


def _keep_salts(source: Path, target: Path, left: set[int]) -> int:
    kept = 0
    with pa.parquet.ParquetFile(source) as old, pa.parquet.ParquetWriter(target, SALT_COLUMNS) as new:
        for batch in old.iter_batches(ROWS):
            rows = [(row["leaf"], row["salt"]) for row in batch.to_pylist() if row["leaf"] in left]
            new.write_table(_table(SALT_COLUMNS, rows))
            kept += len(rows)
    return kept


def _state(path: Path, manifest: Manifest) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))


async def _tell(database: Database, stated: Path, manifest: Manifest) -> None:
    body = {
        "month": manifest.month, "first": manifest.first, "size": manifest.size, "salts": manifest.salts,
        "manifest_sha256": sha256_of(stated),
    }  # fmt: skip
    async with database.session() as session:
        await record(session, "log:archive", body=body)


def _put(draft: Path, target: Path) -> None:
    for path in (*draft.rglob("*"), draft):
        sync(path)
    draft.rename(target)
    sync(target.parent)
