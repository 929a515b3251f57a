"""Who consents now, and what that takes out of a version."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.consenting import Consents
from catalog.subjects import PSEUDONYM_BYTES
from marketplace.consents.cohorts import PEOPLE_AT_ONCE
from marketplace.consents.newest import NEWEST, consents, is_out
from marketplace.consents.schemas import ConsentReceipt
from marketplace.db.base import ms_of, utcnow

_EXCLUDED = text("""
    SELECT cohort, revision FROM excluded_cohort
    WHERE version_id = :version_id AND (purpose IS NULL OR purpose = :purpose)
""")
_BIT = "(1 << (array_position(CAST(:purposes AS text[]), purpose) - 1))"
_PEOPLE = text(f"""
    SELECT string_agg(person, CAST('' AS bytea) ORDER BY subject) AS people FROM (
        SELECT subject, subject || int4send(given) || int4send(withdrawn) AS person,
            (row_number() OVER (ORDER BY subject) - 1) / {PEOPLE_AT_ONCE} AS block
        FROM (
            SELECT subject, bit_or(CASE WHEN {consents("newest")} THEN {_BIT} ELSE 0 END) AS given,
                bit_or(CASE WHEN {is_out("newest")} THEN {_BIT} ELSE 0 END) AS withdrawn
            FROM ({NEWEST}) AS newest WHERE purpose = ANY(CAST(:purposes AS text[])) GROUP BY subject
        ) AS said
    ) AS numbered
    GROUP BY block ORDER BY block
""")
"""A row of bytes for so many persons, as `_PERSON` has them: a row a person would cost an object each here."""
_PERSON = np.dtype([("subject", np.uint8, PSEUDONYM_BYTES), ("given", ">i4"), ("withdrawn", ">i4")])
_ONE = text("""
    SELECT id, dataset_id, purpose, event, at, expires_at, notice_sha256, recorded_at FROM consent_event
    WHERE id = :id
""")


async def excluded(session: AsyncSession, version_id: str, purpose: str) -> tuple[frozenset[int], int]:
    """Cohorts of a version that a purpose may not see, and the number of the revision without them."""
    rows = (await session.execute(_EXCLUDED, {"version_id": version_id, "purpose": purpose})).all()
    return frozenset(row.cohort for row in rows), max((row.revision for row in rows), default=0)


async def read_consents(session: AsyncSession, dataset_id: UUID, purposes: Sequence[str]) -> Consents:
    """Of everybody whom the register knows: to which of the purposes the newest word consents (given, and not run
    out), and to which no more. A country of them takes minutes: a transaction without a timeout."""
    pieces = [np.empty(0, dtype=_PERSON)]
    asked = {"dataset_id": dataset_id, "purposes": list(purposes), "now": utcnow()}
    async for (people,) in await session.stream(_PEOPLE, asked, execution_options={"max_row_buffer": 1}):
        pieces.append(np.frombuffer(people, dtype=_PERSON))
    return Consents(
        purposes=tuple(purposes), subjects=np.concatenate([each["subject"] for each in pieces]),
        given=np.concatenate([each["given"] for each in pieces]).astype(np.int32),
        withdrawn=np.concatenate([each["withdrawn"] for each in pieces]).astype(np.int32),
    )  # fmt: skip


async def read_receipt(session: AsyncSession, consent_id: UUID) -> ConsentReceipt:
    """What recording the event answered. Raises NoResultFound."""
    row = (await session.execute(_ONE, {"id": consent_id})).one()
    return ConsentReceipt(
        id=row.id,
        dataset_id=row.dataset_id,
        purpose=row.purpose,
        event=row.event,
        at=ms_of(row.at),
        expires_at=ms_of(row.expires_at) if row.expires_at else None,
        notice_sha256=row.notice_sha256.hex() if row.notice_sha256 else None,
        recorded_at=ms_of(row.recorded_at),
    )
