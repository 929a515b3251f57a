"""Verdicts of the full audit, sealed: who writes rows but holds no key of the home makes none that counts."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.canonical import exact
from marketplace.audit.check import Finding
from marketplace.db.base import ms_of

VERDICT = "log:audit"
SEAL = b"sandulieu verdict/1\n"
SEALED = ("size", "differences", "named", "looked_at_ms")
_BETWEEN = text("""
    SELECT body FROM event
    WHERE name = 'log:audit' AND CASE WHEN jsonb_typeof(body -> 'looked_at_ms') = 'number'
        THEN CAST(body ->> 'looked_at_ms' AS numeric) BETWEEN :since AND :until END
    ORDER BY CAST(body ->> 'looked_at_ms' AS numeric) DESC
""")
_ALL = text("""
    SELECT event.id, event.body FROM event LEFT JOIN audit_leaf ON audit_leaf.event_id = event.id
    WHERE event.name = 'log:audit' ORDER BY audit_leaf.index NULLS LAST, event.id
""")


def seal(salt_key: bytes, body: Mapping[str, Any]) -> str:
    """HMAC-SHA-256 (hex) under the log's salt key of what a verdict says, and of when it was looked."""
    said = exact({name: body.get(name) for name in SEALED})
    return hmac.digest(salt_key, SEAL + said, hashlib.sha256).hex()


def is_sealed(salt_key: bytes, body: Mapping[str, Any]) -> bool:
    """Whether this home gave that verdict. None of before there were seals is."""
    return hmac.compare_digest(str(body.get("seal")).encode(), seal(salt_key, body).encode())


async def last_looked(session: AsyncSession, salt_key: bytes, *, since: datetime, until: datetime) -> int | None:
    """When it was last looked between the two (both included), in milliseconds, by a sealed verdict."""
    rows = await session.scalars(_BETWEEN, {"since": ms_of(since), "until": ms_of(until)})
    return next((body["looked_at_ms"] for body in rows if is_sealed(salt_key, body)), None)


async def check_verdicts(session: AsyncSession, salt_key: bytes) -> tuple[Finding, ...]:
    """Verdicts without a seal after the first that has one, and such as were told already."""
    seals: set[str] = set()
    forged = []
    for event_id, body in await session.execute(_ALL):
        if is_sealed(salt_key, body) and body["seal"] not in seals:
            seals.add(body["seal"])
        elif seals:
            forged.append(Finding("log.verdict_forged", str(event_id)))
    return tuple(forged)
