"""Proves of a day that what startups see, what owners see and what the ledger has are one, and logs the verdict.

Each sum is made another way: as the parties' own pages make it, and from the ledger's transfers by whose wallet
paid. Tables of those above are read by name, as `ledger.reconcile` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.calendar import day_start
from marketplace.metering.reads import Period, usage

EVENT: Final = "usage:agree"
TOLD_MOST: Final = 50
"""Differences that the log names; it always says how many there are."""
_CHARGED = """
    select {party} as party, count(distinct u.query_id) as queries, sum(t.amount)::bigint as vnd
    from usage u
    join transfer t on t.query_id = u.query_id and t.dataset_id = u.dataset_id and t.kind = 'post'
         and t.code = 'query_charge'
    {through}
    where u.at >= :since and u.at < :until group by 1
"""
_PARTIES: Final = {
    "startup": _CHARGED.format(
        party="w.organisation_id", through="join account w on w.id = t.debit_account_id and w.kind = 'wallet'"
    ),
    "owner": _CHARGED.format(
        party="o.id",
        through="""join agreement a on a.id = u.agreement_id join dataset d on d.id = t.dataset_id
                   join organisation o on o.id in (d.owner_id, a.partner_id)""",
    ),
}
"""What the ledger says, by whom it concerns: from the wallet that paid, and from whose the dataset is."""
CHECKS: Final = {
    "use_is_posted": """
        select u.id::text as subject, u.price_vnd as expected, t.vnd as found from usage u
        left join lateral (select sum(t.amount)::bigint as vnd from transfer t where t.query_id = u.query_id
            and t.dataset_id = u.dataset_id and t.kind = 'post' and t.code = 'query_charge') t on true
        where u.at >= :since and u.at < :until and t.vnd is distinct from u.price_vnd
    """,
    "post_is_used": """
        select t.id::text as subject, t.amount as expected, null::bigint as found from transfer t
        where t.kind = 'post' and t.code = 'query_charge' and t.at >= :since and t.at < :until
        and not exists (select from usage u where u.query_id = t.query_id and u.dataset_id = t.dataset_id)
    """,
    "query_is_charged": """
        select q.id::text as subject, q.charged_vnd as expected, sum(u.price_vnd)::bigint as found
        from usage u join query q on q.id = u.query_id where u.at >= :since and u.at < :until
        group by q.id, q.charged_vnd having q.charged_vnd is distinct from sum(u.price_vnd)::bigint
    """,
    "lines_are_price": """
        select u.id::text as subject, u.price_vnd as expected, i.vnd as found from usage u
        cross join lateral (select sum((item ->> 'amount_vnd')::bigint)::bigint as vnd
            from jsonb_array_elements(u.items) item) i
        where u.at >= :since and u.at < :until and u.items <> '[]' and i.vnd <> u.price_vnd
    """,
    "month_is_counted": """
        select m.agreement_id::text as subject, q.vnd as expected, m.vnd as found
        from (select agreement_id, month, sum(vnd)::bigint as vnd from month_spend
              where month in (to_char(cast(:since as timestamptz) at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM'))
              group by 1, 2) m
        left join lateral (select sum(case when q.state in ('queued', 'running') then l.quote_vnd
                else coalesce((select u.price_vnd from usage u where u.query_id = q.id
                               and u.dataset_id = l.dataset_id), 0) end)::bigint as vnd
            from query_line l join query q on q.id = l.query_id where l.agreement_id = m.agreement_id
            and to_char(q.created_at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM') = m.month) q on true
        where m.vnd is distinct from q.vnd
    """,
    "charge_is_paid": """
        select c.id::text as subject, c.amount_vnd as expected, t.amount as found from charge c
        left join transfer t on t.id = c.transfer_id and t.kind = 'single' and t.code = 'charge_' || c.code
        left join account w on w.id = t.debit_account_id and w.kind = 'wallet'
             and w.organisation_id = c.organisation_id
        where c.at >= :since and c.at < :until and (w.id is null or t.amount <> c.amount_vnd)
    """,
}
"""Rule → SQL that finds what breaks it."""
_TOTAL = text("""
    select count(distinct query_id) as queries, coalesce(sum(price_vnd), 0)::bigint as vnd from usage
    where at >= :since and at < :until
""")
_DONE = text("""
    select exists (select from event where name = :name and at >= :until and body ->> 'day' = :day)
""")
_ALONE = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


class Apart(Struct, frozen=True, kw_only=True):
    """Two figures that should be one. `subject`: the party, use, transfer, query, agreement or charge."""

    check: str
    subject: str
    expected: int | None
    found: int | None


class Verdict(Struct, frozen=True, kw_only=True):
    """Of a day of Viet Nam: how many there were, and every difference."""

    day: date
    startups: int
    owners: int
    queries: int
    price_vnd: int
    differences: tuple[Apart, ...]


async def compare(session: AsyncSession, day: date) -> Verdict:
    """Look at everything that was used and charged on that day."""
    period = Period(day_start(day), day_start(day + timedelta(days=1)))
    within = {"since": period.since, "until": period.until}
    found: list[Apart] = []
    seen: dict[str, int] = {}
    for kind, statement in _PARTIES.items():
        charged = {row.party: row for row in await session.execute(text(statement), within)}
        used = await _parties(session, kind, within)
        seen[kind] = len(used | charged.keys())
        for party in sorted(used | charged.keys()):
            found += await _of_party(session, kind, party, charged.get(party), period)
    for check, statement in CHECKS.items():
        rows = await session.execute(text(statement), within)
        found += [Apart(check=check, **row._mapping) for row in rows]
    total = (await session.execute(_TOTAL, within)).one()
    return Verdict(
        day=day,
        startups=seen["startup"],
        owners=seen["owner"],
        queries=total.queries,
        price_vnd=total.vnd,
        differences=tuple(found),
    )


async def agree(session: AsyncSession, day: date) -> Verdict | None:
    """Compare, and log the verdict whichever it is; None: somebody has done it."""
    await session.execute(_ALONE, {"name": EVENT})
    until = day_start(day + timedelta(days=1))
    if await session.scalar(_DONE, {"name": EVENT, "until": until, "day": day.isoformat()}):
        return None
    verdict = await compare(session, day)
    body: dict[str, Any] = msgspec.to_builtins(verdict)
    apart = len(verdict.differences)
    told = {"agreed": not apart, "apart": apart, "differences": body["differences"][:TOLD_MOST]}
    await record(session, EVENT, body=body | told)
    return verdict


async def _parties(session: AsyncSession, kind: str, within: Mapping[str, Any]) -> set[UUID]:
    column = {"startup": "organisation_id", "owner": "owner_id"}[kind]
    rows = text(f"select distinct {column} from usage where at >= :since and at < :until")
    return set((await session.execute(rows, within)).scalars())


async def _of_party(
    session: AsyncSession, kind: str, party: UUID, charged: Any | None, period: Period
) -> list[Apart]:
    """What its page of usage says beside what the ledger does."""
    page = (await usage(session, kind=kind, party_id=party, period=period, limit=1)).totals
    pairs = (
        ("vnd", charged.vnd if charged else 0, page.price_vnd),
        ("queries", charged.queries if charged else 0, page.queries),
    )
    return [
        Apart(check=f"{kind}_sees_{name}", subject=str(party), expected=in_ledger, found=shown)
        for name, in_ledger, shown in pairs
        if in_ledger != shown
    ]
