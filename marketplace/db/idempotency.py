"""`Idempotency-Key`: the same key and body from an organisation is the same deed, done once."""

from __future__ import annotations

import hashlib
import uuid

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.models import IdempotencyKey
from marketplace.errors import Conflict


class KeyReused(Conflict):
    """The key came before with another body."""

    code = "idempotency.key_reused"


async def claim(
    session: AsyncSession, *, organisation_id: uuid.UUID, key: str, body: bytes, subject_id: uuid.UUID
) -> uuid.UUID:
    """`subject_id` if the key is new (now taken), else what its first call made. Raises KeyReused.

    A second call at once waits here until the first one commits or rolls back.
    """
    digest = hashlib.sha256(body).digest()
    row = {"organisation_id": organisation_id, "key": key, "body_hash": digest, "subject_id": subject_id}
    taken = insert(IdempotencyKey).values(row).on_conflict_do_nothing().returning(IdempotencyKey.subject_id)
    if await session.scalar(taken) is not None:
        return subject_id
    first = await seen(session, organisation_id=organisation_id, key=key, body=body)
    assert first is not None  # the insert met it
    return first


async def seen(session: AsyncSession, *, organisation_id: uuid.UUID, key: str, body: bytes) -> uuid.UUID | None:
    """What the key's first call made, if there was one. Raises KeyReused."""
    mine = (IdempotencyKey.organisation_id == organisation_id, IdempotencyKey.key == key)
    found = await session.execute(select(IdempotencyKey.body_hash, IdempotencyKey.subject_id).where(*mine))
    first = found.one_or_none()
    if first is None:
        return None
    body_hash, subject_id = first._tuple()
    if body_hash != hashlib.sha256(body).digest():
        raise KeyReused(key=key)
    return subject_id
