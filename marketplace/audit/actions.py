"""The one verb of the log: record an event in the transaction of what it records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.canonical import exact, plain
from marketplace.audit.commitment import commit
from marketplace.db.base import ms_of, new_id, utcnow

_RECORD = text("""
    WITH event_row AS (
        INSERT INTO event (id, at, name, actor_person_id, actor_organisation_id, parties, dataset_id, agreement_id,
            query_id, purpose, version_id, revision, bytes, price_vnd, body, commitment)
        VALUES (:id, to_timestamp(:at / 1000.0), :name, :actor_person_id, :actor_organisation_id,
            CAST(:parties AS uuid[]), :dataset_id, :agreement_id, :query_id, :purpose, :version_id, :revision,
            :bytes, :price_vnd, CAST(:body AS jsonb), :commitment)
    ), salt_row AS (
        INSERT INTO event_salt (event_id, salt, secrets) VALUES (:id, :salt, CAST(:secrets AS jsonb))
    )
    INSERT INTO pending_leaf (event_id) VALUES (:id)
""")


async def record(
    session: AsyncSession,
    name: str,
    *,
    actor_person_id: UUID | None = None,
    actor_organisation_id: UUID | None = None,
    parties: Iterable[UUID] = (),
    dataset_id: UUID | None = None,
    agreement_id: UUID | None = None,
    query_id: UUID | None = None,
    purpose: str | None = None,
    version_id: str | None = None,
    revision: int | None = None,
    bytes: int | None = None,
    price_vnd: int | None = None,
    body: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> UUID:
    """Write event `name` (subject:action) and its salt, one round trip; gives the event's id.

    `secrets` are not stored: `body` gets `<key>_commitment` (hex), their salts lie apart and can be erased.
    """
    salts, commitments = _commit_each(secrets or {})
    event = plain(
        {
            "id": new_id(),
            "at": ms_of(utcnow()),
            "name": name,
            "actor_person_id": actor_person_id,
            "actor_organisation_id": actor_organisation_id,
            "parties": set(parties),
            "dataset_id": dataset_id,
            "agreement_id": agreement_id,
            "query_id": query_id,
            "purpose": purpose,
            "version_id": version_id,
            "revision": revision,
            "bytes": bytes,
            "price_vnd": price_vnd,
            "body": {**(body or {}), **commitments},
        }
    )
    salt, commitment = commit(exact(event))
    await session.execute(
        _RECORD,
        {
            **event,
            "body": msgspec.json.encode(event["body"]).decode(),
            "commitment": commitment,
            "salt": salt,
            "secrets": msgspec.json.encode(salts).decode(),
        },
    )
    return UUID(event["id"])


def _commit_each(secrets: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    salts, commitments = {}, {}
    for name, value in secrets.items():
        salt, commitment = commit(value)
        salts[name] = salt.hex()
        commitments[f"{name}_commitment"] = commitment.hex()
    return salts, commitments
