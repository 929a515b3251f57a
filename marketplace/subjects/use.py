"""How often data that held a person was asked, in bands: by purpose, month and kind of company, never by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import VIETNAM
from marketplace.subjects.schemas import Band, Use

MONTHS = 12
COMPANY = "startup"
"""What a company is called whose sector is not known, or too small to hide it."""

_COUNTS = text("""
    SELECT u.dataset_id, q.purpose, coalesce(large.sector, :company) AS company,
        to_char(u.at AT TIME ZONE 'UTC' + interval '7 hours', 'YYYY-MM') AS month, count(*) AS queries
    FROM unnest(CAST(:versions AS text[]), CAST(:purposes AS text[]), CAST(:untils AS timestamptz[]))
        AS mine (version_id, purpose, until)
    JOIN usage u ON u.version_id = mine.version_id AND u.at >= :since AND u.at < mine.until
    JOIN query q ON q.id = u.query_id AND q.purpose = mine.purpose
    JOIN organisation o ON o.id = u.organisation_id
    LEFT JOIN (
        SELECT sector FROM organisation WHERE kind = 'startup' GROUP BY sector HAVING count(*) >= :least
    ) AS large ON large.sector = o.sector
    GROUP BY 1, 2, 3, 4
""")

Counts = Mapping[tuple[UUID, str], Mapping[tuple[str, str], int]]
"""(dataset, purpose) → (month, company) → queries."""


class Shown(Struct, frozen=True, kw_only=True):
    """The person was in a version, for a purpose, until then."""

    version_id: str
    purpose: str
    until: datetime


async def count_use(
    session: AsyncSession, shown: Sequence[Shown], *, since: datetime, least_companies: int
) -> Counts:
    """Queries that ran over versions while the person was in them, whatever came of them."""
    asked = {
        "versions": [each.version_id for each in shown],
        "purposes": [each.purpose for each in shown],
        "untils": [each.until for each in shown],
        "since": since,
        "company": COMPANY,
        "least": least_companies,
    }
    found: dict[tuple[UUID, str], dict[tuple[str, str], int]] = defaultdict(dict)
    for row in await session.execute(_COUNTS, asked) if shown else ():
        found[row.dataset_id, row.purpose][row.month, row.company] = row.queries
    return found


def in_bands(counted: Mapping[tuple[str, str], int], months: Iterable[str]) -> tuple[Use, ...]:
    """Every month and kind of company, months without use too."""
    companies = sorted({company for _, company in counted} | {COMPANY})
    return tuple(
        Use(month=month, company=company, queries=band(counted.get((month, company), 0)))
        for month, company in product(months, companies)
    )


def band(count: int) -> Band:
    """The band that a count lies in."""
    if count == 0:
        return "0"
    if count < 10:
        return "1-9"
    return "10-99" if count < 100 else "100+"


def months_until(now: datetime) -> tuple[list[str], datetime]:
    """The last twelve months of Viet Nam as YYYY-MM, newest first, and the instant at which the oldest began."""
    local = now.astimezone(VIETNAM)
    ordinals = [local.year * 12 + local.month - 1 - back for back in range(MONTHS)]
    year, month = divmod(ordinals[-1], 12)
    names = [f"{each // 12:04}-{each % 12 + 1:02}" for each in ordinals]
    return names, datetime(year, month + 1, 1, tzinfo=VIETNAM).astimezone(UTC)


def full_steps(now: datetime, step_s: int) -> datetime:
    """The newest instant that is a whole number of steps since the epoch."""
    return datetime.fromtimestamp(int(now.timestamp()) // step_s * step_s, UTC)
