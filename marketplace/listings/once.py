"""`Idempotency-Key` of a publication: the same key, manifest and file is the same release, made once."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.history import Waiting
from marketplace.audit.models import Event
from marketplace.db.idempotency import claim, seen
from marketplace.listings.errors import Overtaken
from marketplace.listings.models import DatasetVersion
from policies.decision import Reason


class Once(Struct, frozen=True, kw_only=True):
    """A key, and what it may be used for: a digest of dataset, manifest and file."""

    key: str
    body: bytes


class Released(Struct, frozen=True, kw_only=True):
    """What became of a publication. `waiting`: persons of the file whom it does not show yet."""

    dataset_id: uuid.UUID
    slug: str
    version_id: str
    number: int
    waiting: tuple[Waiting, ...]
    state_class: str | None = None
    personal_class: str | None = None
    """As the policy computed them: the thresholds in force, on what was measured."""
    warnings: tuple[Reason, ...] = ()
    """What the owner has to know of it, such as a class that rose."""


async def once_for(
    key: str,
    *,
    door: Literal["publish", "send"],
    into: uuid.UUID | None,
    manifest_text: str,
    source: Path,
    suite_text: str | None = None,
) -> Once:
    """The key with the digest of everything that was sent, and of where; the file is read in a thread.

    `door`: at once, or with review: the same key at both stands for two things.
    """
    file = await asyncio.to_thread(_digest, source)
    manifest = hashlib.sha256(manifest_text.encode()).digest()
    suite = b"" if suite_text is None else hashlib.sha256(suite_text.encode()).digest()
    return Once(key=key, body=door.encode() + (into.bytes if into else b"") + manifest + file + suite)


async def released_before(session: AsyncSession, once: Once, *, organisation_id: uuid.UUID) -> Released | None:
    """What the key's first publication released, if it did. Raises KeyReused."""
    event_id = await seen(session, organisation_id=organisation_id, key=once.key, body=once.body)
    event = await session.scalar(select(Event).where(Event.id == event_id)) if event_id else None
    if event is None or event.dataset_id is None or event.version_id is None or event.body is None:
        return None
    version = await session.get_one(DatasetVersion, event.version_id)
    decision = event.body.get("decision") or {}
    obligations = decision.get("obligations") or {}
    return Released(
        dataset_id=event.dataset_id,
        slug=event.body["dataset"],
        version_id=event.version_id,
        number=event.body["number"],
        waiting=msgspec.convert(version.waiting, tuple[Waiting, ...]),
        state_class=obligations.get("state_class"),
        personal_class=obligations.get("personal_class"),
        warnings=msgspec.convert(decision.get("reasons", ()), tuple[Reason, ...]),
    )


async def keep(
    session: AsyncSession, once: Once, *, organisation_id: uuid.UUID, event_id: uuid.UUID, slug: str
) -> None:
    """In the transaction of the release: from now on the key stands for it. Raises KeyReused, Overtaken."""
    first = await claim(session, organisation_id, once.key, once.body, event_id)
    if first != event_id:
        raise Overtaken(slug=slug)


def _digest(source: Path) -> bytes:
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
