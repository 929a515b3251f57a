"""Quotes, queries and their lines, answers, meters."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Quote(Base):
    """What a query would cost, promised until it expires to whoever asked."""

    __tablename__ = "quote"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str]
    """`queries.quotes.Promise`, signed."""
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Query(Base):
    """What was asked and what came of it; what belongs to one of its datasets is in its lines."""

    __tablename__ = "query"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str]
    sql: Mapped[str]
    state: Mapped[str]
    """queued | running | ready | denied | failed | cancelled"""
    decision: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Those of all its lines as one (`queries.lines.together`)."""
    bytes: Mapped[int]
    quote_vnd: Mapped[int]
    charged_vnd: Mapped[int | None]
    rho_micro: Mapped[int] = mapped_column(default=0)
    """What it holds or spent of the agreement's privacy budget, in dp mode; posted with the price."""
    budget_hold_id: Mapped[uuid.UUID | None]
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """{code, params} of a failed query; denied ones carry their reasons in `decision`."""
    rows: Mapped[int | None]
    output: Mapped[list[Any] | None] = mapped_column(JSONB)
    """[{name, type}] of the answer."""
    result_sha256: Mapped[str | None]
    result_expires_at: Mapped[datetime | None]
    runner: Mapped[int | None]
    """The process that runs it holds a session advisory lock of this number; lock free: the process is dead."""
    cancel_asked_at: Mapped[datetime | None]
    """Its owner wants it ended; settling sees the mark, whoever wrote it."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        Index(None, "organisation_id", "id"),
        Index("ix_query_unsettled", "runner", postgresql_where=text("state in ('queued', 'running')")),
    )


class QueryLine(Base):
    """One dataset of a query: under which agreement, in which version, at what price. Insert-only."""

    __tablename__ = "query_line"
    query_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("query.id"), primary_key=True)
    agreement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True, index=True)
    decision_id: Mapped[uuid.UUID]
    """The first line's is the query's own id."""
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    version_id: Mapped[str | None]
    revision: Mapped[int | None]
    columns: Mapped[list[str]]
    """Columns of the dataset that the query reads."""
    bytes: Mapped[int]
    quote_vnd: Mapped[int]
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"))
    items: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    """`billing.price.Item`, whose sum the quote is unless a smaller one was promised."""
    trial_vnd: Mapped[int | None]
    """What a trial took off; None: it is no query of one."""
    hold_id: Mapped[uuid.UUID | None]
    excluded_seen: Mapped[int | None]
    """How many exclusions of the version for this purpose were in force when it ran; settle compares."""


class QueryResult(Base):
    """The answer's Arrow stream, sealed under its own key: ready together with its price, or not at all.

    Not insert-only: erased when it expires, or when what it was made from may no longer be used. Without this row
    nobody has the key to the file."""

    __tablename__ = "query_result"
    query_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """No foreign key: it is written by the statement that ends its query."""
    body: Mapped[bytes | None]
    """None: in the file of the query's id."""
    wrapped_key: Mapped[bytes]
    size_bytes: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PrivateAnswer(Base):
    """dp mode: an answer that an agreement paid for, given again to the same question for nothing."""

    __tablename__ = "private_answer"
    agreement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    question: Mapped[bytes] = mapped_column(primary_key=True)
    """What makes two questions the same, hashed."""
    query_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("query.id"))
    body: Mapped[bytes]
    """Sealed, as every answer is at rest."""
    rows: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class AgreementMeter(Base):
    """Records released under an agreement in rows mode: the fold of its usage, checked against the cap."""

    __tablename__ = "agreement_meter"
    agreement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    records: Mapped[int] = mapped_column(default=0)
