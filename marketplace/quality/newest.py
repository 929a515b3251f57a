"""What stands for a version: of each axis one score, and of all of them the lowest."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.quality.suite import AXES
from marketplace.quality.freshness import Freshness
from marketplace.quality.reads import read_quality
from marketplace.quality.schemas import ScoreView


class Newest(Struct, frozen=True, kw_only=True):
    """`percent`: the lowest of the scores, so that no good axis hides a bad one; None where none was judged."""

    scores: tuple[ScoreView, ...]
    percent: int | None
    freshness: Freshness


async def read_newest(session: AsyncSession, dataset_id: UUID, *, version_id: str, at: datetime) -> Newest | None:
    """As everybody may see it; None if nothing is listed.

    Of an axis the owner's file, where the suite judged it, goes before what was counted in what was released.
    """
    page = await read_quality(session, dataset_id, reader_id=None, at=at, version_id=version_id)
    if page is None:
        return None
    found: dict[str, ScoreView] = {}
    for check in sorted(page.checks, key=lambda check: check.room != "released"):
        found |= {score.axis: score for score in check.scores if score.percent is not None}
    percents = [score.percent for score in found.values() if score.percent is not None]
    scores = tuple(found[axis] for axis in AXES if axis in found)
    return Newest(scores=scores, percent=min(percents, default=None), freshness=page.freshness)
