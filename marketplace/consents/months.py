"""What an owner sees of its people's choices: totals of months that have ended, in bands.

A month that still runs is not told, so nobody can watch a total change; a band hides at least ten numbers, and a
month without anybody looks like one with nine people. So no one person's act can be read from it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import VIETNAM
from marketplace.db.base import utcnow

FIRST_BAND = 10
_DATASET = text("""
    SELECT d.created_at, d.manifest, v.worn_at IS NOT NULL AS worn
    FROM dataset d LEFT JOIN dataset_version v ON v.id = d.current_version_id WHERE d.id = :id
""")
_TOTALS = text("""
    SELECT to_char(recorded_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM') AS month, purpose,
        count(*) FILTER (WHERE event = 'given') AS given,
        count(*) FILTER (WHERE event IN ('withdrawn', 'revoked')) AS withdrawn,
        count(*) FILTER (WHERE event = 'expired') AS expired
    FROM consent_event WHERE dataset_id = :id AND recorded_at < :until GROUP BY 1, 2
""")


class Band(Struct, frozen=True):
    """At least and at most so many, both included."""

    at_least: int
    at_most: int


class Month(Struct, frozen=True, kw_only=True):
    """`month`: YYYY-MM in Viet Nam."""

    month: str
    purpose: str
    given: Band
    withdrawn: Band
    expired: Band


class Months(Struct, frozen=True, kw_only=True):
    """Every month that has ended since the dataset is here, newest first, each with all purposes."""

    dataset_id: UUID
    worn: bool
    """The newest version has lost so many cohorts that it should be published anew."""
    items: tuple[Month, ...]


def band(count: int) -> Band:
    """0–9, 10–19, 20–49, 50–99, 100–199, and so on."""
    if count < FIRST_BAND:
        return Band(0, FIRST_BAND - 1)
    low = FIRST_BAND
    while True:
        for step, high in ((1, 2), (2, 5), (5, 10)):
            if count < low * high:
                return Band(low * step, low * high - 1)
        low *= 10


async def monthly_totals(session: AsyncSession, *, dataset_id: UUID) -> Months:
    """Of one dataset, whose owner the caller has checked. Raises NoResultFound."""
    dataset = (await session.execute(_DATASET, {"id": dataset_id})).one()
    until = utcnow().astimezone(VIETNAM).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = await session.execute(_TOTALS, {"id": dataset_id, "until": until})
    counted = {(row.month, row.purpose): row for row in found}
    items = []
    for month in _months(dataset.created_at, until):
        for purpose in dataset.manifest.get("purposes", ()):
            row = counted.get((month, purpose))
            bands = {kind: band(getattr(row, kind) if row else 0) for kind in ("given", "withdrawn", "expired")}
            items.append(Month(month=month, purpose=purpose, **bands))
    return Months(dataset_id=dataset_id, worn=dataset.worn, items=tuple(items))


def _months(since: datetime, until: datetime) -> list[str]:
    """YYYY-MM from the month of `since` to the one before `until`, newest first."""
    local = since.astimezone(VIETNAM)
    year, month = local.year, local.month
    found = []
    while (year, month) < (until.year, until.month):
        found.append(f"{year:04}-{month:02}")
        year, month = year + month // 12, month % 12 + 1
    return found[::-1]
