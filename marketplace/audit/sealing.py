"""What a decision stood on, encrypted at rest: AES-256-GCM under a key of the home, bound to its decision."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.models import DecisionRow
from marketplace.db.base import utcnow
from marketplace.db.keys import KeyGone, Keys
from marketplace.db.together import Statement
from marketplace.errors import Problem
from policies.decision import Decision
from policies.facts import SCALARS

NONCE_BYTES = 12
_STORE = text("""
insert into decision (id, at, question_schema, policy_revision, engine, allow, key_id, sealed)
values (:id, :at, :question_schema, :policy_revision, :engine, :allow, :key_id, :sealed)
""")


class FactsUnreadable(Problem):
    """The key is gone, or the stored bytes are not those that were written."""

    status = 500
    code = "facts.unreadable"


class Kept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lies encrypted. `texts`: what the log commits to, by name: each group of facts, and the SQL."""

    texts: dict[str, str]
    decision: dict[str, Any]
    """As it was given then: the structs of today may have other fields."""

    @property
    def columns(self) -> list[str]:
        """Columns of the dataset that were asked for; none where the question asks for none."""
        request = msgspec.json.decode(self.texts.get("request", "{}"), type=dict[str, Any])
        return request.get("columns") or []


class Decided(Struct, frozen=True, kw_only=True):
    """A row of the table `decision`. `sealed`: nonce (12 bytes), then ciphertext and tag."""

    id: UUID
    at: datetime
    question_schema: str
    policy_revision: str
    engine: str
    allow: bool
    key_id: str
    sealed: bytes


def seal(keys: Keys, *, decision_id: UUID, texts: Mapping[str, str], decision: Decision) -> Decided:
    """The decision ready to be stored. `texts`: the groups of its facts, and what else is committed to."""
    key_id = keys.facts_key_id()
    nonce = secrets.token_bytes(NONCE_BYTES)
    kept = msgspec.json.encode({"texts": texts, "decision": decision})
    sealed = nonce + AESGCM(keys.facts(key_id)).encrypt(nonce, kept, _bound_to(decision_id, key_id))
    return Decided(
        id=decision_id,
        at=utcnow(),
        question_schema=msgspec.json.decode(texts[SCALARS])["schema"],
        policy_revision=decision.policy_revision,
        engine=decision.engine,
        allow=decision.allow,
        key_id=key_id,
        sealed=sealed,
    )


def stored(decided: Decided) -> Statement:
    """What writes the decision."""
    return Statement(_STORE, msgspec.structs.asdict(decided))


async def kept_of(session: AsyncSession, keys: Keys, decision_id: UUID) -> Kept | None:
    """What the decision stood on; None if it was erased, or never stored. Raises FactsUnreadable."""
    row = await session.get(DecisionRow, decision_id)
    return unseal(keys, decision_id=row.id, key_id=row.key_id, sealed=row.sealed) if row else None


def unseal(keys: Keys, *, decision_id: UUID, key_id: str, sealed: bytes) -> Kept:
    """What was sealed for this decision. Raises FactsUnreadable."""
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        kept = AESGCM(keys.facts(key_id)).decrypt(nonce, ciphertext, _bound_to(decision_id, key_id))
    except (InvalidTag, KeyGone, ValueError) as wrong:
        raise FactsUnreadable(decision_id=str(decision_id), key_id=key_id) from wrong
    return msgspec.json.decode(kept, type=Kept)


def _bound_to(decision_id: UUID, key_id: str) -> bytes:
    """Authenticated with the ciphertext, so that no row passes for another's."""
    return decision_id.bytes + key_id.encode()
