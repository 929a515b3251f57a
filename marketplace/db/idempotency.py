"""`Idempotency-Key`: the same key and body from an organisation is the same deed, done once."""

from __future__ import annotations

import hashlib
import uuid

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.models import IdempotencyKey
from marketplace.db.together import Statement, perform
from marketplace.errors import Conflict

_CLAIM = text("""
insert into idempotency_key (organisation_id, key, body_hash, subject_id, created_at)
values (:organisation, :key, :digest, :subject, now()) on conflict do nothing returning subject_id
""")


class KeyReused(Conflict):
    """The key came before with another body."""

    code = "idempotency.key_reused"


async def claim(
    session: AsyncSession, organisation_id: uuid.UUID, key: str | None, body: object, subject_id: uuid.UUID
) -> uuid.UUID:
    """`subject_id` if the key is new (now taken) or none came, else what its first call made. Raises KeyReused.

    A second call at once waits here until the first one commits or rolls back. `body`: bytes, or what is asked.
    """
    if not key:
        return subject_id
    asked = body if isinstance(body, bytes) else msgspec.json.encode(body)
    taken = claiming(organisation_id=organisation_id, key=key, body=asked, subject_id=subject_id)
    if (await perform(session, taken)).first() is not None:
        return subject_id
    first = await seen(session, organisation_id=organisation_id, key=key, body=asked)
    assert first is not None  # the insert met it
    return first


def claiming(*, organisation_id: uuid.UUID, key: str, body: bytes, subject_id: uuid.UUID) -> Statement:
    """What takes a new key; it gives no row if the key is taken already."""
    digest = hashlib.sha256(body).digest()
    return Statement(
        _CLAIM, {"organisation": organisation_id, "key": key, "digest": digest, "subject": subject_id}
    )


async def seen(session: AsyncSession, *, organisation_id: uuid.UUID, key: str, body: bytes) -> uuid.UUID | None:
    """What the key's first call made, if there was one. Raises KeyReused."""
    mine = (IdempotencyKey.organisation_id == organisation_id, IdempotencyKey.key == key)
    found = await session.execute(select(IdempotencyKey.body_hash, IdempotencyKey.subject_id).where(*mine))
    first = found.one_or_none()
    if first is None:
        return None
    body_hash, subject_id = first
    if body_hash != hashlib.sha256(body).digest():
        raise KeyReused(key=key)
    return subject_id
