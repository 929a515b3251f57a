"""Erasing what the log committed to: the salts go, the commitments stay and open no more, every proof holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

NEARBY = timedelta(hours=1)
"""A unit of work lasts minutes at most, whatever the clocks do."""
ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
_ERASE = text("""
    WITH told AS MATERIALIZED (
        SELECT id FROM event
        WHERE at BETWEEN :since AND :until AND parties @> ARRAY[CAST(:party AS uuid)]
            AND name = :name AND body @> CAST(:about AS jsonb)
    ), named AS (
        SELECT event_id, cardinality(ARRAY(SELECT jsonb_object_keys(secrets))) AS commitments
        FROM event_salt JOIN told ON told.id = event_salt.event_id
        WHERE secrets <> '{}'
        FOR UPDATE OF event_salt
    ), erased AS (
        UPDATE event_salt SET secrets = '{}' FROM named WHERE event_salt.event_id = named.event_id
    )
    SELECT coalesce(sum(commitments), 0) FROM named
""")


async def erase_secrets(
    session: AsyncSession, *, name: str, party: UUID, about: Mapping[str, str], at: datetime
) -> int:
    """Destroy the salts of the `secrets` of a party's events `name` whose body has `about`; how many.

    `at`: when what they tell happened; those of the hour around it. Only if there are none is the whole log read,
    which is slow.
    The event's own salt stays: what it says in the clear is still proven. The caller records that it erased.
    """
    sought = {"name": name, "party": party, "about": msgspec.json.encode(about).decode()}
    for since, until in ((at - NEARBY, at + NEARBY), ALWAYS):
        if erased := await session.scalar(_ERASE, sought | {"since": since, "until": until}):
            return int(erased)
    return 0
