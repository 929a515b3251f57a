"""What was found of a dataset's versions, as everybody or its owner may see it; broken promises of a party."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.quality.drift import ColumnDrift
from catalog.quality.report import AxisScore, Verdict
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.quality.freshness import freshness
from marketplace.quality.schemas import BreachPage, BreachView, CheckView, QualityPage, ScoreView

_DATASET = text("""
select d.id, d.slug, d.owner_id, d.partner_id, d.update_frequency, v.created_at, v.body ->> 'mode' as mode
from dataset d join dataset_version v on v.id = coalesce(d.current_version_id,
    (select id from dataset_version where dataset_id = d.id order by number desc limit 1))
where d.id = :dataset
""")
_CHECKS = text("""
select q.*, v.number from quality_check q join dataset_version v on v.id = q.version_id
where q.dataset_id = :dataset and (cast(:version as text) is null or q.version_id = :version)
order by v.number desc, q.room limit :rows
""")
_BREACHES = text("""
select b.id, b.agreement_id, b.dataset_id, b.version_id, b.period, b.promise, b.promised_permille,
       b.found_permille, b.credit_permille, b.at,
       array(select c.credit_id from quality_credit c where c.agreement_id = b.agreement_id
             and c.period = b.period order by c.credit_id) as credit_ids
from quality_breach b where b.id < :before
and (cast(:party as uuid) is null or :party in (b.startup_id, b.owner_id)) order by b.id desc limit :rows
""")
_LAST = UUID(int=2**128 - 1)
MOST_CHECKS = 100
PERCENT_STEP = 5


async def read_quality(
    session: AsyncSession, dataset_id: UUID, *, reader_id: UUID | None, at: datetime, version_id: str | None = None
) -> QualityPage | None:
    """The newest looks at its versions, or at one of them; with verdicts if `reader_id` is an owner of it. Of a
    dataset without a version any more, who may read it is the caller's to ask (`kept_dataset`); None: never any.

    In dp mode what a suite found of the persons is for the owner alone: it was not bought with privacy budget.
    """
    row = (await session.execute(_DATASET, {"dataset": dataset_id})).one_or_none()
    if row is None:
        return None
    own = reader_id is not None and reader_id in (row.owner_id, row.partner_id)
    asked = {"dataset": dataset_id, "version": version_id, "rows": MOST_CHECKS}
    checks = (await session.execute(_CHECKS, asked)).all()
    return QualityPage(
        dataset_id=row.id,
        dataset_slug=row.slug,
        freshness=freshness(row.update_frequency, row.created_at, at=at),
        checks=tuple(_check(c, own=own) for c in checks if own or c.room == "released" or row.mode != "dp"),
    )


def _check(row: Any, *, own: bool) -> CheckView:
    scores = msgspec.convert(row.scores, tuple[AxisScore, ...])
    return CheckView(
        version_id=row.version_id,
        number=row.number,
        room=row.room,
        judge=row.judge,
        checked_at=row.checked_at,
        scores=tuple(_score(s, exact=own or row.room == "released") for s in scores),
        drift=msgspec.convert(row.drift, tuple[ColumnDrift, ...]),
        verdicts=msgspec.convert(row.verdicts, tuple[Verdict, ...]) if own else (),
    )


def _score(score: AxisScore, *, exact: bool) -> ScoreView:
    """What a suite counted over the owner's persons, those who consent to nothing among them, is told to others in
    steps: an exact share, or whether one cell misses, would tell of one person more or less."""
    percent = None if score.permille is None else score.permille // 10
    if exact:
        return ScoreView(axis=score.axis, percent=percent, state=score.state)
    step = None if percent is None else percent - percent % PERCENT_STEP
    return ScoreView(axis=score.axis, percent=step, state="none" if score.state == "none" else None)


async def list_breaches(
    session: AsyncSession, *, party_id: UUID | None, cursor: str | None = None, limit: int = PAGE_ROWS
) -> BreachPage:
    """Of the agreements of a party; None: of all. Raises Invalid."""
    (before,) = decode_cursor(cursor, tuple[UUID]) if cursor else (_LAST,)
    rows = await session.execute(_BREACHES, {"party": party_id, "before": before, "rows": limit + 1})
    shown, more = cut(rows.all(), limit)
    items = tuple(BreachView(**{**row._mapping, "credit_ids": tuple(row.credit_ids)}) for row in shown)
    return BreachPage(items=items, next=encode_cursor(more.id) if more else None)
