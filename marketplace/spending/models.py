"""What startups spend in a month, what they want to spend at most, and whom they told of it."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from marketplace.db.base import Base, new_id, utcnow


class MonthSpend(Base):
    """Queries and đồng of a person under an agreement in a month (YYYY-MM, Viet Nam), holds counted.

    A fold of `query_line`, written in the transactions that hold and resolve, under the wallet's lock: whoever
    counts there counts everything."""

    __tablename__ = "month_spend"
    agreement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    queries: Mapped[int]
    vnd: Mapped[int]
    trial_queries: Mapped[int]
    trial_vnd: Mapped[int]
    """What the trial took off."""
    __table_args__ = (
        Index(None, "organisation_id", "month"),
        Index("ix_month_spend_trial", "organisation_id", "dataset_id", postgresql_where=text("trial_queries > 0")),
        CheckConstraint("least(queries, vnd, trial_queries, trial_vnd) >= 0", name="not_negative"),
    )


class SpendLimit(Base):
    """What a startup wants its queries to cost at most a month: all, those of a dataset, or those of a person."""

    __tablename__ = "spend_limit"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("dataset.id"))
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    month_vnd: Mapped[int]
    alert_percent: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """Shares of it at which somebody is told, ascending."""
    set_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("organisation_id", "dataset_id", "person_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("dataset_id is null or person_id is null", name="one_scope"),
        CheckConstraint("month_vnd >= 0", name="not_negative"),
    )


class SpendAlert(Base):
    """That a month's spending reached a share of a limit: told once. Insert-only."""

    __tablename__ = "spend_alert"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("dataset.id"))
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    month: Mapped[str]
    percent: Mapped[int]
    spent_vnd: Mapped[int]
    limit_vnd: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint(
            "organisation_id",
            "dataset_id",
            "person_id",
            "month",
            "percent",
            "limit_vnd",
            name="uq_spend_alert_told_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
