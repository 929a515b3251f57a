"""From the database to what the public sees: tiles of what has its leaf, then the checkpoint over them.

The database is the truth; what is published follows it, in steps, and after a kill at any instant from where the
shown checkpoint stands. It never goes back: a database that does not hold what was shown (it was restored from a
backup, or forged) gets nothing published, and no more leaves, until somebody has looked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from marketplace.audit.published import PublishedBroken, PublishedLog, PublisherBusy, Writing, shown_head
from marketplace.audit.tiles import HEIGHT, WIDTH, Tile, bundle, tile_path, tiles_of
from marketplace.db.engine import Database
from marketplace.db.together import Statement
from marketplace.verifier.note import Head, VerifierKey

STEP_LEAVES = 65_536
BUSY_PAUSE_MS = 10
READERS = ThreadPoolExecutor(8, "published-log")
"""Anybody may ask for tiles and readiness, and a store elsewhere may be slow: whoever waits takes none of the
threads in which everything else is done."""
KNOWN = text("SELECT root FROM checkpoint WHERE size = :size")
_NEXT = text("""
    SELECT size, note, EXISTS (SELECT FROM published WHERE size = :shown) AS told FROM checkpoint
    WHERE size = (SELECT coalesce(
        (SELECT max(size) FROM checkpoint WHERE size >= :shown AND size <= :shown + :step),
        (SELECT min(size) FROM checkpoint WHERE size >= :shown)
    ))
""")
_TELL = text("INSERT INTO published (size, at) VALUES (:size, now()) ON CONFLICT DO NOTHING")
_ENTRIES = text("SELECT data FROM audit_leaf WHERE index >= :start AND index < :end ORDER BY index")
_HASHES = text("""
    SELECT hash FROM audit_node WHERE level = :level AND index >= :start AND index < :end ORDER BY index
""")


class LogRolledBack(RuntimeError):
    """The database does not hold the tree that was published."""


async def publish(database: Database, log: PublishedLog, key: VerifierKey) -> int:
    """Show every signed head of the database, the newest last; how many leaves are shown then.

    Raises LogRolledBack, PublishedBroken, OSError (nothing more is shown than before), DatabaseUnavailable."""
    while True:
        async with _alone(log) as writing:
            shown = await asyncio.to_thread(shown_head, log, key)
            size = shown.size if shown else 0
            known, following = await database.each(
                [Statement(KNOWN, {"size": size}), Statement(_NEXT, {"shown": size, "step": STEP_LEAVES})]
            )
            require_known(shown, known)
            if not following:
                return size
            ((newest, note, told),) = following
            if newest == size and told:
                return size
            if newest > size and not await asyncio.to_thread(writing.still):
                continue
            if newest > size:
                await _show(database, writing, size, newest, note)
            async with database.unit() as unit:
                await unit.send([Statement(_TELL, {"size": newest})])


def require_known(shown: Head | None, rows: Sequence[Any]) -> None:
    """`rows`: what KNOWN gives for the shown size. Raises LogRolledBack."""
    if shown is not None and [row.root for row in rows] != [shown.root]:
        raise LogRolledBack(
            f"a checkpoint of {shown.size} leaves was published, and the database does not hold that tree: it was "
            "restored from an older backup, or changed. No leaf is given and nothing published until it holds it "
            "again (docs/operate.md); see `sandulieu audit verify`"
        )


async def rolled_back(
    database: Database, log: PublishedLog, key: VerifierKey, remembered: Sequence[Head] = ()
) -> bool:
    """Whether the log stands still: the database does not hold what was published, or what a witness remembers."""
    try:
        shown = await asyncio.get_running_loop().run_in_executor(READERS, shown_head, log, key)
        for head in (*((shown,) if shown else ()), *remembered):
            require_known(head, await database.all(KNOWN, {"size": head.size}))
    except (LogRolledBack, PublishedBroken):
        return True
    return False


async def _show(database: Database, writing: Writing, before: int, after: int, note: str) -> None:
    changed = tiles_of(after, since=before)
    files = await tile_files(database, changed)
    await asyncio.to_thread(writing.put, files)
    await asyncio.to_thread(writing.show, note)
    filled = [tile_path(tile) + ".p" for tile in changed if tile.width == WIDTH]
    await asyncio.to_thread(writing.drop, filled)


async def tile_files(database: Database, tiles: Sequence[Tile]) -> dict[str, bytes]:
    """Path -> bytes, one read a level; the tiles of a level stand in order and without a gap.

    Raises LogRolledBack: the database is shorter."""
    levels = list(dict.fromkeys(tile.level for tile in tiles))
    by_level = {level: [tile for tile in tiles if tile.level == level] for level in levels}
    rows = await database.each([_span(level, each) for level, each in by_level.items()])
    files = {}
    for (level, each), found in zip(by_level.items(), rows, strict=True):
        start = each[0].index * WIDTH
        for tile in each:
            at = tile.index * WIDTH - start
            pieces = [row[0] for row in found[at : at + tile.width]]
            if len(pieces) != tile.width:
                raise LogRolledBack(f"the database lacks what tile {tile_path(tile)} is made of")
            files[tile_path(tile)] = bundle(pieces) if level is None else b"".join(pieces)
    return files


def _span(level: int | None, tiles: Sequence[Tile]) -> Statement:
    span = {"start": tiles[0].index * WIDTH, "end": tiles[-1].index * WIDTH + tiles[-1].width}
    return Statement(_ENTRIES, span) if level is None else Statement(_HASHES, span | {"level": level * HEIGHT})


@contextlib.asynccontextmanager
async def _alone(log: PublishedLog) -> AsyncIterator[Writing]:
    """Waits for whoever publishes now."""
    with contextlib.ExitStack() as left:
        # In threads: a store elsewhere is asked, may be slow, and what was asked of it is waited for at the end.
        while True:
            try:
                writing = await asyncio.to_thread(left.enter_context, log.writing())
                break
            except PublisherBusy:
                await asyncio.sleep(BUSY_PAUSE_MS / 1000)
        try:
            yield writing
        finally:
            await asyncio.to_thread(left.close)
