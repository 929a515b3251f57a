"""Numbers without gaps: given under a lock of the series, in the transaction that writes the document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import VIETNAM

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('invoice ' || :series, 0))")
_NEXT = text("""
    select coalesce(max(n), 0) + 1 from (
        select max(number) as n from invoice where series = :series and year = :year
        union all
        select max(number) from invoice_edition where replaces and series = :series and year = :year) given
""")
_BILLING = text("select pg_advisory_xact_lock(hashtextextended('billing ' || :organisation, 0))")
SUFFIX = {"invoice": "SD", "credit_note": "GC"}
Kind = Literal["invoice", "credit_note"]


def series_of(kind: Kind, at: datetime) -> str:
    """As an e-invoice's sign: form 1 (value added tax), C with the tax office's code, the year, T, ours."""
    return f"1C{at.astimezone(VIETNAM):%y}T{SUFFIX[kind]}"


async def lock_billing(session: AsyncSession, organisation_id: UUID) -> None:
    """Whoever else bills the startup waits until this unit of work has ended."""
    await session.execute(_BILLING, {"organisation": str(organisation_id)})


async def lock_series(session: AsyncSession, series: str) -> None:
    """Whoever else gives numbers of the series waits until this unit of work has ended."""
    await session.execute(_LOCK, {"series": series})


async def next_number(session: AsyncSession, series: str, at: datetime) -> int:
    """The one after the highest that is written; what is rolled back gives its number back."""
    found = await session.scalar(_NEXT, {"series": series, "year": at.astimezone(VIETNAM).year})
    return int(found)
