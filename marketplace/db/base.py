"""Declarative base, time-ordered ids, instants."""

from __future__ import annotations

import os
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
    "checkpoint", "query_line", "charge", "spend_alert", "invoice", "invoice_line",
    "invoice_item", "credit_item",
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


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random; ids sort by time of making."""
    ms = time.time_ns() // 1_000_000
    raw = ms.to_bytes(6, "big") + os.urandom(10)
    value = int.from_bytes(raw, "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)


def utcnow() -> datetime:
    return datetime.now(UTC)


def ms_of(at: datetime) -> int:
    """Whole milliseconds since the epoch, exact (a float would at times lose one)."""
    return (at - EPOCH) // timedelta(milliseconds=1)
