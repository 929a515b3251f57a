"""Promises of offers that do not hold: found out by the clock, each told once a month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert

from catalog.quality.report import AxisScore
from marketplace.audit.actions import record
from marketplace.billing.terms import Sla, Terms
from marketplace.calendar import month_of
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.quality.freshness import freshness
from marketplace.quality.models import QualityBreach
from marketplace.quality.walking import over_all

FOUND_STEP_PERMILLE = 50
"""The startup is told what was found no finer; in dp mode nothing, for it was not bought with privacy budget."""
_PROMISED = text("""
select a.created_at as key_at, a.id as key_id, a.id as agreement_id, a.startup_id, a.owner_id, a.partner_id,
       a.dataset_id, v.id as version_id, o.terms, d.update_frequency, v.created_at as released_at,
       d.current_version_id is not null as listed,
       v.body ->> 'mode' as mode,
       (select q.scores from quality_check q where q.version_id = v.id and q.room = 'source') as scores
from agreement a join offer o on o.id = a.offer_id join dataset d on d.id = a.dataset_id
join lateral (
    select id, created_at, body from dataset_version
    where dataset_id = d.id and id = coalesce(d.current_version_id, id) order by number desc limit 1
) v on true
where o.terms ? 'sla' and a.valid_from <= :at and a.ended_at is null and a.expires_at > :at
and (a.created_at, a.id) > (:after_at, cast(:after_id as uuid)) order by a.created_at, a.id limit :page_rows
""")


async def find_broken(database: Database, *, at: datetime) -> int:
    """Keep and tell every promise that does not hold now and was not told this month. How many.

    What is wrong with one agreement keeps no other from being looked at. Raises Unavailable.
    """
    return await over_all(database, _PROMISED, {"at": at}, partial(_find, database, at=at))


async def _find(database: Database, row: Any, *, at: datetime) -> int:
    sla = msgspec.convert(row.terms, Terms).sla
    if sla is None:
        return 0
    found = [await _keep(database, row, sla, *one, at=at) for one in _broken(sla, row, at=at)]
    return sum(found)


def _broken(sla: Sla, row: Any, *, at: datetime) -> Iterator[tuple[str, int | None, int | None]]:
    """Where no version is listed nothing has scores, and nothing is live: taking a version back mends nothing."""
    if not row.listed:
        if sla.live:
            yield "live", None, None
        return
    scores = {s.axis: s.permille for s in msgspec.convert(row.scores or [], list[AxisScore])}
    for axis, promised in (
        ("accurate", sla.accurate_permille),
        ("complete", sla.complete_permille),
        ("clean", sla.clean_permille),
    ):
        found = scores.get(axis)  # type: ignore[call-overload]
        if promised is not None and row.mode != "dp" and (found is None or found < promised):
            yield axis, promised, None if found is None else found - found % FOUND_STEP_PERMILLE
    if sla.live and freshness(row.update_frequency, row.released_at, at=at).state == "overdue":
        yield "live", None, None


async def _keep(
    database: Database, row: Any, sla: Sla, promise: str, promised: int | None, found: int | None, *, at: datetime
) -> int:
    """1; 0 if it was told before."""
    period = month_of(at)
    async with database.session() as session:
        told = upsert(QualityBreach).values(
            id=new_id(),
            agreement_id=row.agreement_id,
            startup_id=row.startup_id,
            owner_id=row.owner_id,
            dataset_id=row.dataset_id,
            version_id=row.version_id,
            period=period,
            promise=promise,
            promised_permille=promised,
            found_permille=found,
            credit_permille=sla.credit_permille,
            at=at,
        )
        if await session.scalar(told.on_conflict_do_nothing().returning(QualityBreach.id)) is None:
            return 0
        beside = () if row.partner_id is None else (row.partner_id,)
        body = {
            "period": period,
            "promise": promise,
            "promised_permille": promised,
            "found_permille": found,
            "credit_permille": sla.credit_permille,
        }
        await record(
            session,
            "quality:breach",
            parties=(row.startup_id, row.owner_id, *beside),
            dataset_id=row.dataset_id,
            agreement_id=row.agreement_id,
            version_id=row.version_id,
            body=body,
        )
    return 1
