"""The register as its owner may have it: what the owner itself recorded, people by pseudonym only.

What people said themselves is not in it: the owner knows its own events' pseudonyms, and would read who it was.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from marketplace.db.engine import Database

ROWS_AT_ONCE = 5_000
_PAGE = text("""
    SELECT id, owner_event_id AS event_id, encode(subject, 'hex') AS subject, purpose, event, at, expires_at,
        encode(notice_sha256, 'hex') AS notice_sha256, notice_language, notice_version, evidence, method,
        jurisdiction, recorded_at
    FROM consent_event
    WHERE dataset_id = :dataset_id AND recorded_by IS NOT NULL
        AND (subject, purpose, at, id) > (:subject, :purpose, :at, :id)
    ORDER BY subject, purpose, at, id LIMIT :most
""")
NAMES = (
    "id", "event_id", "subject", "purpose", "event", "at", "expires_at", "notice_sha256", "notice_language",
    "notice_version", "evidence", "method", "jurisdiction", "recorded_at",
)  # fmt: skip
Rows = Sequence[dict[str, Any]]


async def exported(
    database: Database, dataset_id: UUID, write: Callable[[Rows, bool], bytes]
) -> AsyncIterator[bytes]:
    """The events in pieces; between them no transaction is open, however slowly they are taken away."""
    last: dict[str, Any] = {"subject": b"", "purpose": "", "at": datetime(1, 1, 1, tzinfo=UTC), "id": UUID(int=0)}
    first = True
    while True:
        async with database.reading() as session:
            found = await session.execute(_PAGE, last | {"dataset_id": dataset_id, "most": ROWS_AT_ONCE})
            rows = [dict(row._mapping) for row in found]
        yield write(rows, first)
        if len(rows) < ROWS_AT_ONCE:
            return
        first = False
        last = {name: rows[-1][name] for name in ("purpose", "at", "id")}
        last["subject"] = bytes.fromhex(rows[-1]["subject"])


def as_ndjson(rows: Rows, first: bool) -> bytes:
    """One object a line, without what was not said."""
    del first
    return msgspec.json.Encoder().encode_lines(
        [{name: value for name, value in row.items() if value is not None} for row in rows]
    )


def as_csv(rows: Rows, first: bool) -> bytes:
    """RFC 4180; a text that a spreadsheet would run as a formula gets a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    if first:
        writer.writerow(NAMES)
    writer.writerows([_cell(row[name]) for name in NAMES] for row in rows)
    return out.getvalue().encode()


FORMATS: dict[str, Callable[[Rows, bool], bytes]] = {"application/x-ndjson": as_ndjson, "text/csv": as_csv}
"""Media type → writer of a piece."""


def _cell(value: object) -> str:
    if value is None:
        return ""
    told = value.isoformat() if isinstance(value, datetime) else str(value)
    return "'" + told if told[:1] in ("=", "+", "-", "@", "\t", "\r") else told
