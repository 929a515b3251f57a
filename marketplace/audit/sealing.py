"""A decision on its way into the log: what it stood on encrypted at rest, and of that a root in the event.

AES-256-GCM under a key of the home, bound to the decision's id.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Raw, Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.facttree import FactTree, Head
from marketplace.audit.models import DecisionRow
from marketplace.db.base import utcnow
from marketplace.db.keys import KeyGone, Keys
from marketplace.db.together import Statement
from marketplace.errors import Problem
from policies.decision import Decision
from policies.kept import module_sha256

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
    """What lies encrypted: the fields of the tree over the facts, and what was decided on them."""

    question: Raw
    sql: str | None
    seed: bytes
    decision: dict[str, Any]
    """As it was given then: the structs of today may have other fields."""

    @property
    def tree(self) -> FactTree:
        return FactTree(bytes(self.question), self.sql, self.seed)

    @property
    def columns(self) -> list[str]:
        """Columns of the dataset that were asked for; none where the question asks for none."""
        request = msgspec.json.decode(self.question, type=dict[str, Any]).get("request") or {}
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


class Sealed(Struct, frozen=True, kw_only=True):
    """A decision ready to be stored and told: its row, and the head of the tree over its facts."""

    row: Decided
    decision: Decision
    head: Head

    @property
    def stored(self) -> Statement:
        """What writes the row."""
        return Statement(_STORE, msgspec.structs.asdict(self.row))

    @property
    def body(self) -> dict[str, Any]:
        """What the event of the decision says of it."""
        return {"decision_id": self.row.id, "decision": told(self.decision), "facts": self.head}


def seal(keys: Keys, *, decision_id: UUID, tree: FactTree, decision: Decision) -> Sealed:
    """The decision ready for the log. `tree`: over what it stood on."""
    key_id = keys.facts_key_id()
    nonce = secrets.token_bytes(NONCE_BYTES)
    kept = msgspec.json.encode(
        {"question": Raw(tree.question), "sql": tree.sql, "seed": tree.seed, "decision": decision}
    )
    row = Decided(
        id=decision_id,
        at=utcnow(),
        question_schema=tree.schema,
        policy_revision=decision.policy_revision,
        engine=decision.engine,
        allow=decision.allow,
        key_id=key_id,
        sealed=nonce + AESGCM(keys.facts(key_id)).encrypt(nonce, kept, _bound_to(decision_id, key_id)),
    )
    return Sealed(row=row, decision=decision, head=tree.head)


def told(decision: Decision | dict[str, Any]) -> dict[str, Any]:
    """The decision as every party of the event may see it: nothing that tells what the startup's wallet holds.

    The hash of the facts goes too: unsalted, it could be tried out; the salted commitments stand for it.
    """
    shown: dict[str, Any] = msgspec.to_builtins(decision)
    del shown["facts_hash"]
    shown["module_sha256"] = module_sha256(shown["policy_revision"])
    for reason in shown["reasons"]:
        reason["params"] = {k: v for k, v in reason["params"].items() if k != "available_vnd"}
    return shown


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
