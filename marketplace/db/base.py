"""Declarative base, time-ordered ids, instants."""

from __future__ import annotations

import os
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, DateTime, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

INSERT_ONLY = (
    "transfer", "usage", "event", "consent_event", "excluded_cohort", "legal_basis", "audit_leaf", "audit_node",
    "checkpoint", "published", "cosignature", "query_line", "charge", "spend_alert", "period_fence",
    "period_close", "period_balance", "period_difference", "payment", "provider_event",
    "invoice", "invoice_line", "invoice_item", "invoice_edition", "credit_item", "owner_statement",
    "payout_account", "payout_notice", "incident_step", "publication_step", "version_withdrawal",
    "quality_check", "quality_overdue", "quality_breach", "quality_credit",
)  # fmt: skip
"""Tables that the service's role can neither UPDATE nor DELETE (grants and a trigger)."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012
        int: BigInteger,
        str: Text,
        uuid.UUID: Uuid,
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text),
        list[uuid.UUID]: ARRAY(Uuid),
        dict: JSONB,
        list: JSONB,
    }


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_TICK_NS = 1_000_000 / 4096
_last_tick = 0
_ticking = threading.Lock()


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, 6.2 method 3): milliseconds, 12 bits of their fraction, then 62 random bits.

    The ids of a process sort in the order of their making, whatever its clock does; those of several processes
    as their clocks agree.
    """
    global _last_tick  # noqa: PLW0603  # one sequence a process is the point
    with _ticking:
        _last_tick = max(_last_tick + 1, int(time.time_ns() / _TICK_NS))
        ms, fraction = divmod(_last_tick, 4096)
    value = ms << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=value)


def first_id_at(at: datetime) -> uuid.UUID:
    """Below every id that was made at that instant or later."""
    return uuid.UUID(int=ms_of(at) << 80)


def utcnow() -> datetime:
    return datetime.now(UTC)


def ms_of(at: datetime) -> int:
    """Whole milliseconds since the epoch, exact (a float would at times lose one)."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def micros_of(at: datetime) -> int:
    """Whole microseconds since the epoch: all that PostgreSQL keeps of an instant."""
    return (at - EPOCH) // timedelta(microseconds=1)
