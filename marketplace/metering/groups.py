"""Usage by day, dataset or person, to those whom it concerns."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.calendar import span
from marketplace.errors import Forbidden
from marketplace.metering.reads import SIDES
from marketplace.metering.schemas import GroupBy, UsageGroup, UsageGroups

GROUPS_MOST: Final = 1_000
_KEYS: Final = {
    "day": "to_char(u.at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD')",
    "dataset": "u.dataset_id::text",
    "person": "u.person_id::text",
}
_NAMES: Final = {
    "day": "g.key",
    "dataset": "(select d.slug from dataset d where d.id = g.key::uuid)",
    "person": "(select p.name from person p where p.id = g.key::uuid)",
}
_GROUPS = """
    select g.*, coalesce({name}, '') as name from (
        select key, count(*) as queries, sum(bytes)::bigint as bytes, sum(rows)::bigint as rows,
               sum(cpu_us)::bigint as cpu_us, sum(price_vnd)::bigint as price_vnd
        from (select {key} as key, u.query_id, sum(u.bytes) as bytes, max(u.rows) as rows, max(u.cpu_us) as cpu_us,
                     sum(u.price_vnd) as price_vnd
              from usage u where {side} and u.at >= :since and u.at < :until group by 1, 2) query
        group by key) g
    order by {order} limit :rows
"""
"""A query counts once in each group, and so do the rows and the time of its answer, whatever it read."""


async def usage_by(
    session: AsyncSession, *, kind: str, party_id: UUID, group: GroupBy, first: date, last: date
) -> UsageGroups:
    """From one day of Viet Nam to another, both included. Exchange and regulator see days and datasets of all.

    Raises Invalid for too long a time, Forbidden where the asker may not know who asked.
    """
    since, until = span(first, last)
    if group == "person" and kind != "startup":
        raise Forbidden(needs="startup")
    order = "key" if group == "day" else "price_vnd desc, queries desc, key"
    side = SIDES.get(kind, "true")
    statement = text(_GROUPS.format(name=_NAMES[group], key=_KEYS[group], side=side, order=order))
    asked: dict[str, Any] = {
        "party": party_id,
        "since": since,
        "until": until,
        "rows": GROUPS_MOST,
    }
    found = [dict(row._mapping) for row in await session.execute(statement, asked)]
    # How long a query worked is its startup's business.
    hidden = {} if kind == "startup" else {"cpu_us": None}
    return UsageGroups(
        group=group, first=first, last=last, items=tuple(UsageGroup(**(row | hidden)) for row in found)
    )
