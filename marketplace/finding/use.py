"""How often a dataset is used and by what kind of company: in bands, and from five companies up.

Whole days up to the last midnight in Viet Nam, counted once a day, each company by the lower end of its own band:
nobody watches a rival's query arrive, nor finds by asking more and more how many the others lack to the next band.
"""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import VIETNAM

DAYS: Final = 90
FEWEST: Final = 5
"""Companies, of all and of each sector that is told: fewer would let one of them be guessed."""
KEPT: Final = 10_000
"""Datasets whose bands are kept for the day, some megabytes; the oldest go."""
BANDS: Final = (5, 10, 25, 100, 1_000, 10_000, 100_000)
_USED = text("""
select o.sector, count(*) as queries
from usage u join dataset_version v on v.id = u.version_id join organisation o on o.id = u.organisation_id
where v.dataset_id = :dataset and u.dataset_id = :dataset and u.at >= :since and u.at < :until
group by u.organisation_id, o.sector
""")


class Use(Struct, frozen=True, kw_only=True):
    """Lower ends of bands (`BANDS`); of queries, of the sum of each company's. `sectors`: of five and more."""

    days: int
    companies_from: int
    queries_from: int
    sectors: tuple[str, ...]


class Day:
    """The bands that were counted since a midnight, of `most` datasets."""

    def __init__(self, *, most: int) -> None:
        self.most = most
        self.until: datetime | None = None
        self.bands: dict[uuid.UUID, Use | None] = {}

    def turn(self, until: datetime) -> None:
        if self.until != until:
            self.until, self.bands = until, {}

    def keep(self, dataset_id: uuid.UUID, use: Use | None) -> None:
        if dataset_id not in self.bands and len(self.bands) >= self.most:
            del self.bands[next(iter(self.bands))]
        self.bands[dataset_id] = use


_day = Day(most=KEPT)


async def read_use(session: AsyncSession, dataset_id: uuid.UUID, *, at: datetime) -> Use | None:
    """As `count_use`, counted at the first call of a day."""
    until = _midnight(at)
    _day.turn(until)
    if dataset_id in _day.bands:
        return _day.bands[dataset_id]
    use = await count_use(session, dataset_id, at=at)
    if _day.until == until:
        _day.keep(dataset_id, use)
    return use


async def count_use(session: AsyncSession, dataset_id: uuid.UUID, *, at: datetime) -> Use | None:
    """None where fewer than five companies used it."""
    until = _midnight(at)
    asked = {"dataset": dataset_id, "since": until - timedelta(days=DAYS), "until": until}
    rows = (await session.execute(_USED, asked)).all()
    if len(rows) < FEWEST:
        return None
    companies = Counter(row.sector for row in rows)
    sectors = sorted(each for each, count in companies.items() if each is not None and count >= FEWEST)
    queries = sum(_band(row.queries) for row in rows)
    return Use(days=DAYS, companies_from=_band(len(rows)), queries_from=_band(queries), sectors=tuple(sectors))


def _midnight(at: datetime) -> datetime:
    return at.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)


def _band(count: int) -> int:
    return max((band for band in BANDS if band <= count), default=1)
