"""The full audit: hashes from rows and from published tiles, sums from the usage; what differs, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from marketplace.audit.actions import record
from marketplace.audit.check import Finding, check_log
from marketplace.audit.disk import DiskLog
from marketplace.audit.log_store import published_log
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import newest_checkpoint
from marketplace.audit.published import PublishedLog
from marketplace.audit.verdict import VERDICT, check_verdicts, seal
from marketplace.config import Config
from marketplace.db.base import ms_of
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.inspection.fetched import check_fetched
from marketplace.inspection.partials import check_partials
from marketplace.inspection.register import Altered, check_register
from marketplace.ledger.reconcile import Difference, reconcile
from marketplace.verifier.folder import check_log as check_published
from marketplace.verifier.note import VerifierKey
from marketplace.verifier.refusal import Check

TOLD_FINDINGS = 50
"""So many are named in the event; the rest are counted, and told by the command."""


class Verdict(Struct, frozen=True, kw_only=True):
    """`size`: leaves of the newest checkpoint that was looked at. Whole if all four are empty."""

    size: int
    rows: tuple[Finding, ...]
    published: tuple[Check, ...]
    books: tuple[Difference, ...]
    register: tuple[Altered, ...] = ()

    @property
    def whole(self) -> bool:
        return not (self.rows or self.published or self.books or self.register)

    def lines(self) -> Iterator[str]:
        """A line for whatever differs: what it is, and where."""
        yield from (f"{each.code}: {each.where}" for each in self.rows)
        yield from (f"{each.code}: {each.detail}" for each in self.published)
        yield from (f"{each.code}: {each.where}" for each in self.register)
        yield from (f"books.{each.check}: {each.subject}: {each.expected} ≠ {each.found}" for each in self.books)


async def look(database: Database, keys: Keys, config: Config) -> Verdict:
    """At everything in one snapshot, however long it takes."""
    key = verifier_key(config.log_origin, keys.log_signing())
    log = published_log(config)
    # Read before the rows: what was shown to others, the rows must hold.
    shown = await asyncio.to_thread(log.checkpoint)
    async with database.snapshot() as session:
        newest = await newest_checkpoint(session)
        salt_key = keys.salt_key()
        rows = await check_log(session, key, seen=[shown] if shown else [], salt_key=salt_key)
        rows += await check_verdicts(session, salt_key)
        books = await reconcile(session, config.hold_lifetime_s)
        register = await check_register(session)
    return Verdict(
        size=newest.size if newest else 0,
        rows=rows,
        published=await asyncio.to_thread(_published, log, config.path("log"), key) if shown else (),
        books=books,
        register=register,
    )


async def tell(database: Database, keys: Keys, verdict: Verdict, *, at: datetime) -> None:
    """Write it to the log, sealed, as of `at`."""
    lines = list(verdict.lines())
    body = {
        "size": verdict.size, "differences": len(lines), "named": lines[:TOLD_FINDINGS], "looked_at_ms": ms_of(at)
    }  # fmt: skip
    async with database.session() as session:
        await record(session, VERDICT, body={**body, "seal": seal(keys.salt_key(), body)})


def _published(log: PublishedLog, folder: Path, key: VerifierKey) -> tuple[Check, ...]:
    """Twice if need be: who publishes meanwhile may take a partial tile away just then; a fault stays."""
    for _ in range(2):
        checks = check_published(folder, key) if isinstance(log, DiskLog) else check_fetched(log, key)
        wrong = tuple(check for check in checks if not check.ok) or check_partials(log, folder)
        if not wrong:
            break
    return wrong
