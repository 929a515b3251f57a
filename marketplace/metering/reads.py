"""Usage as a party may see it: a startup its own, an owner that of its datasets, the operator totals only."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import EPOCH
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.metering.schemas import UsagePage, UsageTotals, UsageView

END_OF_TIME = datetime(9999, 1, 1, tzinfo=EPOCH.tzinfo)
_ROWS = """
    select u.id, u.query_id, u.at, u.organisation_id, u.owner_id, u.person_id, u.agreement_id, u.dataset_id,
           coalesce(d.slug, '') as dataset_slug, u.version_id, u.outcome, u.bytes, u.rows, u.cpu_us, u.wall_us,
           u.peak_memory_bytes, u.price_vnd
    from usage u left join dataset d on d.id = u.dataset_id
    where {side} and u.at >= :since and u.at < :until and (u.at, u.id) < (:before_at, :before_id)
    order by u.at desc, u.id desc limit :rows
"""
_TOTALS = """
    select count(*) as queries, coalesce(sum(bytes), 0)::bigint as bytes, coalesce(sum(rows), 0)::bigint as rows,
           coalesce(sum(price_vnd), 0)::bigint as price_vnd
    from (select sum(u.bytes) as bytes, max(u.rows) as rows, sum(u.price_vnd) as price_vnd
          from usage u where {side} and u.at >= :since and u.at < :until group by u.query_id) query
"""
OWNERS = """
    u.owner_id = :party
    or exists (select from agreement a where a.id = u.agreement_id and a.partner_id = :party)
"""
"""Condition on a row `u` of usage: the party owns the dataset, alone or with another."""
SIDES = {"startup": "u.organisation_id = :party", "owner": f"({OWNERS})"}
"""Condition on a row `u` of usage, by kind of party; the other kinds see sums of all."""
_HIDDEN_FROM_OWNER = ("person_id", "cpu_us", "wall_us", "peak_memory_bytes")
_LAST = UUID(int=2**128 - 1)


class Period(Struct, frozen=True):
    """`since` is included, `until` is not."""

    since: datetime = EPOCH
    until: datetime = END_OF_TIME


async def usage(
    session: AsyncSession,
    *,
    kind: str,
    party_id: UUID,
    period: Period,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> UsagePage:
    """A page of usage for a party of a kind (startup | owner); for any other kind only totals. Raises Invalid."""
    side = SIDES.get(kind)
    parameters: dict[str, Any] = {"party": party_id, "since": period.since, "until": period.until}
    totals = (await session.execute(text(_TOTALS.format(side=side or "true")), parameters)).one()
    items: tuple[UsageView, ...] = ()
    following: str | None = None
    if side is not None:
        at, last = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else (END_OF_TIME, _LAST)
        parameters |= {"before_at": at, "before_id": last, "rows": limit + 1}
        rows = (await session.execute(text(_ROWS.format(side=side)), parameters)).all()
        shown, more = cut(rows, limit)
        items = tuple(_view(dict(row._mapping), kind) for row in shown)
        following = encode_cursor(more.at, more.id) if more else None
    return UsagePage(items=items, totals=UsageTotals(**totals._mapping), next=following)


def _view(row: dict[str, Any], kind: str) -> UsageView:
    hidden = dict.fromkeys(_HIDDEN_FROM_OWNER) if kind == "owner" else {}
    return UsageView(**(row | hidden))
