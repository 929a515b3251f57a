"""How far a startup has come with one dataset: what it may ask under, and what it has applied for."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

MOST: Final = 20
"""Agreements and applications of one startup on one dataset that are told; the newest."""
_FOUND: Final = text("""
(select 'agreement' as kind, a.id, a.purpose, 'in_force' as state, a.people, a.expires_at as at, a.unpaid_since,
        array(select p.name from person p where p.id = any(a.people) order by p.name) as names
 from agreement a
 where a.startup_id = :startup and a.dataset_id = :dataset and a.ended_at is null and a.expires_at > :at
 order by a.id desc limit :most)
union all
(select 'application', a.id, a.purpose, a.state, a.people, a.updated_at, null, '{}'::text[]
 from application a
 where a.startup_id = :startup and a.dataset_id = :dataset and a.state in ('submitted', 'returned')
 order by a.id desc limit :most)
""")


class InForce(Struct, frozen=True, kw_only=True):
    """`names`: of the `people` who may ask. `unpaid`: nothing may be asked until the wallet covers a month."""

    id: UUID
    purpose: str
    people: tuple[UUID, ...]
    names: tuple[str, ...]
    expires_at: datetime
    unpaid: bool


class Open(Struct, frozen=True, kw_only=True):
    """An application that waits: for the owner (`submitted`) or for the startup (`returned`)."""

    id: UUID
    purpose: str
    state: Literal["submitted", "returned"]
    at: datetime


class Standing(Struct, frozen=True, kw_only=True):
    """Both newest first."""

    agreements: tuple[InForce, ...]
    applications: tuple[Open, ...]


async def standing_of(session: AsyncSession, *, dataset_id: UUID, startup_id: UUID, at: datetime) -> Standing:
    """What is in force at the instant, and what is not decided."""
    asked = {"dataset": dataset_id, "startup": startup_id, "at": at, "most": MOST}
    found = (await session.execute(_FOUND, asked)).all()
    return Standing(
        agreements=tuple(
            InForce(
                id=row.id, purpose=row.purpose, people=tuple(row.people), names=tuple(row.names),
                expires_at=row.at, unpaid=row.unpaid_since is not None,
            )
            for row in found if row.kind == "agreement"
        ),
        applications=tuple(
            Open(id=row.id, purpose=row.purpose, state=row.state, at=row.at)
            for row in found if row.kind == "application"
        ),
    )  # fmt: skip
