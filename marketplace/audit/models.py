"""The log: events (insert-only), their salts (erasable), their leaves, tree nodes, checkpoints."""

from __future__ import annotations

import builtins
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Event(Base):
    """Written in the same transaction as what it records. `parties` may read it, the regulator may read all."""

    __tablename__ = "event"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    name: Mapped[str]
    """subject:action, e.g. query:settle, query:deny, agreement:end"""
    actor_person_id: Mapped[uuid.UUID | None]
    actor_organisation_id: Mapped[uuid.UUID | None]
    parties: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(UUID))
    dataset_id: Mapped[uuid.UUID | None]
    agreement_id: Mapped[uuid.UUID | None]
    query_id: Mapped[uuid.UUID | None]
    purpose: Mapped[str | None]
    version_id: Mapped[str | None]
    revision: Mapped[int | None]
    bytes: Mapped[int | None]
    price_vnd: Mapped[int | None]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """What else is recorded: decision, reasons, hashes. Never a cell of data, never a secret."""
    commitment: Mapped[builtins.bytes]
    """SHA-256(salt || canonical JSON of all above): what the leaf commits to."""
    __table_args__ = (
        Index(None, "at"),
        Index(None, "dataset_id", "at"),
        Index(None, "query_id", postgresql_where=text("query_id is not null")),
        Index(
            "ix_event_decision",
            text("(body ->> 'decision_id')"),
            postgresql_where=text("(body ->> 'decision_id') is not null"),
        ),
        Index("ix_event_audits", "at", postgresql_where=text("name = 'log:audit'")),
        Index("ix_event_refusals", "at", postgresql_where=text("name = 'log:witness_refuse'")),
        Index("ix_event_odd", "at", postgresql_where=text("name = 'payout:odd'")),
        Index("ix_event_reconciled", "at", postgresql_where=text("name = 'ledger:reconcile'")),
    )


class EventSalt(Base):
    """Apart from the event, so that it can be erased: then the commitment opens no more."""

    __tablename__ = "event_salt"
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """No foreign key: it is written by the statement that writes its event, which nobody can remove."""
    salt: Mapped[bytes]
    secrets: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    """name -> salt (hex) of `<name>_commitment` in the event's body; each can be erased by itself."""


class DecisionRow(Base):
    """Every decision, with what it stood on (`sealing.Kept`). Its event names it in its body (`decision_id`); one
    without is of a query, and has the query's id.

    Not insert-only: facts about persons can be erased; what the log committed to stays, and opens no more."""

    __tablename__ = "decision"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    question_schema: Mapped[str]
    policy_revision: Mapped[str]
    engine: Mapped[str]
    allow: Mapped[bool]
    key_id: Mapped[str]
    sealed: Mapped[bytes]
    """Nonce (12 bytes), then AES-256-GCM ciphertext and tag."""
    __table_args__ = (Index(None, "at", "id"),)


class PendingLeaf(Base):
    """Events that wait for the sequencer: written with the event, deleted with its leaf. Always small, so
    finding what is new stays cheap however long the log is, and a late commit is simply found later."""

    __tablename__ = "pending_leaf"
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tag: Mapped[builtins.bytes | None]
    """`tag.event_tag`; what has none, or another, was not recorded by the service and gets no leaf."""


class AuditLeaf(Base):
    """The sequencer's order over committed events (`leaf.py`). Leaf hash: SHA-256(0x00 || data) (RFC 6962).

    `dataset_id`: in whose chain it counts, from 0 without gap; `dataset_previous`: index of the leaf before it.
    """

    __tablename__ = "audit_leaf"
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    """No foreign key: it would lock the event, which is never changed, and take as long as the leaf itself."""
    dataset_id: Mapped[uuid.UUID | None]
    dataset_counter: Mapped[int | None]
    dataset_previous: Mapped[int | None]
    data: Mapped[bytes]
    __table_args__ = (Index(None, "dataset_id", "dataset_counter", unique=True),)


class AuditNode(Base):
    """Hash of a complete subtree: level 0 are leaves; node (l, i) covers leaves [i·2^l, (i+1)·2^l)."""

    __tablename__ = "audit_node"
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class Checkpoint(Base):
    """A signed head of the log (C2SP signed note), never forgotten. Nobody is shown one that is not published."""

    __tablename__ = "checkpoint"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utcnow)


class Published(Base):
    """Which heads were shown: their tiles are durable, and the checkpoint outside the database was theirs."""

    __tablename__ = "published"
    size: Mapped[int] = mapped_column(ForeignKey("checkpoint.size"), primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(default=utcnow)


class Cosignature(Base):
    """What a witness signed of a checkpoint. `witness`: its verifier key; `line`: to stand below the note."""

    __tablename__ = "cosignature"
    size: Mapped[int] = mapped_column(ForeignKey("checkpoint.size"), primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index(None, "witness", "size"),)
