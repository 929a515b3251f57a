"""The one verb of the log: record a declared event in the transaction of what it records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypedDict, Unpack
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.canonical import exact, plain
from marketplace.audit.commitment import commit
from marketplace.audit.registry import fitting
from marketplace.audit.tag import tagged
from marketplace.db.base import ms_of, new_id, utcnow
from marketplace.db.together import Statement, perform

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
    INSERT INTO pending_leaf (event_id, tag) VALUES (:id, :tag)
""")


class Doer(Protocol):
    """A person who acts for an organisation."""

    @property
    def person_id(self) -> UUID | None: ...

    @property
    def organisation_id(self) -> UUID | None: ...


class Fields(TypedDict, total=False):
    """What an event may name besides its verb. `by`: its actors, where a person does it for an organisation.

    `secrets` are not stored: `body` gets `<key>_commitment` (hex), their salts lie apart and can be erased."""

    by: Doer | None
    actor_person_id: UUID | None
    actor_organisation_id: UUID | None
    parties: Iterable[UUID]
    dataset_id: UUID | None
    agreement_id: UUID | None
    query_id: UUID | None
    purpose: str | None
    version_id: str | None
    revision: int | None
    bytes: int | None
    price_vnd: int | None
    body: Mapping[str, Any]
    secrets: Mapping[str, str]


async def record(session: AsyncSession, name: str, **fields: Unpack[Fields]) -> UUID:
    """Write event `name` (subject:action) and its salt, one round trip; its id. Raises EventRefused."""
    statement = recorded(name, **fields)
    await perform(session, statement)
    return UUID(statement.parameters["id"])


def recorded(name: str, **fields: Unpack[Fields]) -> Statement:
    """What writes event `name` and its salt. Raises EventRefused: not declared, or the body does not fit."""
    salts, commitments = _commit_each(fields.get("secrets", {}))
    by = fields.get("by")
    event = plain(
        {
            "id": new_id(),
            "at": ms_of(utcnow()),
            "name": name,
            "actor_person_id": by.person_id if by else fields.get("actor_person_id"),
            "actor_organisation_id": by.organisation_id if by else fields.get("actor_organisation_id"),
            "parties": set(fields.get("parties", ())),
            "dataset_id": fields.get("dataset_id"),
            "agreement_id": fields.get("agreement_id"),
            "query_id": fields.get("query_id"),
            "purpose": fields.get("purpose"),
            "version_id": fields.get("version_id"),
            "revision": fields.get("revision"),
            "bytes": fields.get("bytes"),
            "price_vnd": fields.get("price_vnd"),
            "body": {**fields.get("body", {}), **commitments},
        }
    )
    event["body"] = fitting(name, event["body"])
    salt, commitment = commit(exact(event))
    return Statement(
        _RECORD,
        {
            **event,
            "body": msgspec.json.encode(event["body"]).decode(),
            "commitment": commitment,
            "salt": salt,
            "secrets": msgspec.json.encode(salts).decode(),
        },
        tagged(UUID(event["id"]), commitment),
    )


def _commit_each(secrets: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    salts, commitments = {}, {}
    for name, value in secrets.items():
        salt, commitment = commit(value)
        salts[name] = salt.hex()
        commitments[f"{name}_commitment"] = commitment.hex()
    return salts, commitments
