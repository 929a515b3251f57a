"""The full audit: hashes from rows and from published tiles, sums from the usage; what differs, by name."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from marketplace.audit.actions import record
from marketplace.audit.check import Finding, check_log
from marketplace.audit.disk import DiskLog
from marketplace.audit.log_store import published_log
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import newest_checkpoint
from marketplace.audit.published import PublishedLog, read_tile
from marketplace.audit.tiles import tile_path, tiles_of
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.ledger.reconcile import Difference, reconcile
from marketplace.verifier.folder import check_log as check_published
from marketplace.verifier.note import VerifierKey, open_checkpoint
from marketplace.verifier.refusal import Check, Refused

VERDICT = "log:audit"
TOLD_FINDINGS = 50
"""So many are named in the event; the rest are counted, and told by the command."""


class Verdict(Struct, frozen=True, kw_only=True):
    """`size`: leaves of the newest checkpoint that was looked at. Whole if all three are empty."""

    size: int
    rows: tuple[Finding, ...]
    published: tuple[Check, ...]
    books: tuple[Difference, ...]

    @property
    def whole(self) -> bool:
        return not (self.rows or self.published or self.books)

    def lines(self) -> Iterator[str]:
        """A line for whatever differs: what it is, and where."""
        yield from (f"{each.code}: {each.where}" for each in self.rows)
        yield from (f"{each.code}: {each.detail}" for each in self.published)
        yield from (f"books.{each.check}: {each.subject}: {each.expected} ≠ {each.found}" for each in self.books)


async def look(database: Database, keys: Keys, config: Config) -> Verdict:
    """At everything in one snapshot, however long it takes."""
    key = verifier_key(config.log_origin, keys.log_signing())
    log = published_log(config)
    # Read before the rows: what was shown to others, the rows must hold.
    shown = await asyncio.to_thread(log.checkpoint)
    async with database.snapshot() as session:
        newest = await newest_checkpoint(session)
        rows = await check_log(session, key, seen=[shown] if shown else [],
                               salt_key=keys.salt_key())  # fmt: skip
        books = await reconcile(session, config.hold_lifetime_s)
    return Verdict(
        size=newest.size if newest else 0,
        rows=rows,
        published=await asyncio.to_thread(_published, log, config.path("log"), key) if shown else (),
        books=books,
    )


async def tell(database: Database, verdict: Verdict) -> None:
    """Write it to the log."""
    lines = list(verdict.lines())
    async with database.session() as session:
        body = {"size": verdict.size, "differences": len(lines), "named": lines[:TOLD_FINDINGS]}
        await record(session, VERDICT, body=body)


def _published(log: PublishedLog, folder: Path, key: VerifierKey) -> tuple[Check, ...]:
    """Twice if need be: who publishes meanwhile may take a partial tile away just then; a fault stays."""
    for _ in range(2):
        wrong = _wrong(folder, key) if isinstance(log, DiskLog) else _wrong_elsewhere(log, folder, key)
        if not wrong:
            break
    return wrong


def _wrong(folder: Path, key: VerifierKey) -> tuple[Check, ...]:
    return tuple(check for check in check_published(folder, key) if not check.ok)


def _wrong_elsewhere(log: PublishedLog, beside: Path, key: VerifierKey) -> tuple[Check, ...]:
    """What is not on this disk is fetched to it for the time of the check."""
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="audit-", dir=beside) as copied:
        folder, note = Path(copied), log.checkpoint() or ""
        (folder / "checkpoint").write_text(note)
        try:
            size = open_checkpoint(note, key).size
        except Refused:
            size = 0  # which is told by the check; how much a forged one says that there is, is not fetched
        for tile in tiles_of(size):
            # If need be out of a wider one: the log grows meanwhile, and partial tiles go.
            path, data = folder / "tile" / tile_path(tile), read_tile(log, tile)
            if data is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        return _wrong(folder, key)
