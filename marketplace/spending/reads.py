"""Where an agreement stands in its month, read with the facts of a query; and what its startup sees of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import month_of
from marketplace.spending.actions import scope_of
from marketplace.spending.schemas import AlertView, LimitView, SpendingView

STANDING = """
    (select jsonb_build_object('queries', coalesce(sum(m.queries), 0), 'vnd', coalesce(sum(m.vnd), 0))
     from month_spend m where m.agreement_id = a.id and m.month = :month)
    || (select jsonb_build_object('trial_queries', coalesce(sum(t.trial_queries), 0),
                                  'trial_vnd', coalesce(sum(t.trial_vnd), 0))
        from month_spend t
        where t.organisation_id = a.startup_id and t.dataset_id = a.dataset_id and t.trial_queries > 0)
"""
"""Of a row `a` of agreement, as JSON of `billing.price.Standing`. Few rows each: one a person who asked."""

NEWEST_ALERTS = 50
_MONTH = text("""
    select coalesce(sum(vnd), 0)::bigint as spent_vnd, coalesce(sum(queries), 0)::bigint as queries
    from month_spend where organisation_id = :organisation and month = :month
""")
_LIMITS = text("""
    select l.id, l.dataset_id, d.slug as dataset_slug, l.person_id, p.name as person_name, l.month_vnd,
           l.alert_percent, l.set_at, s.vnd as spent_vnd
    from spend_limit l left join dataset d on d.id = l.dataset_id left join person p on p.id = l.person_id
    cross join lateral (select coalesce(sum(m.vnd), 0)::bigint as vnd from month_spend m
        where m.organisation_id = l.organisation_id and m.month = :month
        and (l.dataset_id is null or m.dataset_id = l.dataset_id)
        and (l.person_id is null or m.person_id = l.person_id)) s
    where l.organisation_id = :organisation
    order by l.dataset_id is not null, l.person_id is not null, d.slug, p.name
""")
_ALERTS = text("""
    select a.dataset_id, d.slug as dataset_slug, a.person_id, p.name as person_name, a.month, a.percent,
           a.spent_vnd, a.limit_vnd, a.at
    from spend_alert a left join dataset d on d.id = a.dataset_id left join person p on p.id = a.person_id
    where a.organisation_id = :organisation order by a.month desc, a.percent desc, a.at desc limit :rows
""")


async def spending(session: AsyncSession, *, organisation_id: UUID, at: datetime) -> SpendingView:
    """A startup's month, limits and alerts."""
    whose = {"organisation": organisation_id, "month": month_of(at), "rows": NEWEST_ALERTS}
    month = (await session.execute(_MONTH, whose)).one()
    limits = [dict(row._mapping) for row in await session.execute(_LIMITS, whose)]
    alerts = [dict(row._mapping) for row in await session.execute(_ALERTS, whose)]
    return SpendingView(
        month=month_of(at),
        spent_vnd=month.spent_vnd,
        queries=month.queries,
        limits=tuple(msgspec.convert(_scoped(row), LimitView) for row in limits),
        alerts=tuple(msgspec.convert(_scoped(row), AlertView) for row in alerts),
    )


async def newest_alert(session: AsyncSession, *, organisation_id: UUID, at: datetime) -> AlertView | None:
    """The last of this month's, for a notice."""
    row = (await session.execute(_ALERTS, {"organisation": organisation_id, "rows": 1})).one_or_none()
    if row is None or row.month != month_of(at):
        return None
    return msgspec.convert(_scoped(dict(row._mapping)), AlertView)


def _scoped(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"scope": scope_of(row["dataset_id"], row["person_id"])}
