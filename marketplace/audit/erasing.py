"""Erasing what the log committed to: the salts go, the commitments stay and open no more, every proof holds."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_ERASE = text("""
    WITH named AS (
        SELECT event_id, cardinality(ARRAY(SELECT jsonb_object_keys(secrets))) AS commitments
        FROM event_salt JOIN event ON event.id = event_salt.event_id
        WHERE event.parties @> ARRAY[CAST(:party AS uuid)] AND event.name = :name
            AND event.body @> CAST(:about AS jsonb) AND secrets <> '{}'
        FOR UPDATE OF event_salt
    ), erased AS (
        UPDATE event_salt SET secrets = '{}' FROM named WHERE event_salt.event_id = named.event_id
    )
    SELECT coalesce(sum(commitments), 0) FROM named
""")


async def erase_secrets(session: AsyncSession, *, name: str, party: UUID, about: Mapping[str, str]) -> int:
    """Destroy the salts of the `secrets` of a party's events `name` whose body has `about`; how many.

    The event's own salt stays: what it says in the clear is still proven. The caller records that it erased.
    """
    erased = await session.scalar(
        _ERASE, {"name": name, "party": party, "about": msgspec.json.encode(about).decode()}
    )
    return int(erased or 0)
