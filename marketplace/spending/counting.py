"""Counts a query's price in its month, and says what stands against it, in the transaction that holds it.

Whoever holds has locked its organisation's wallet in the statement before: what is counted here is all there is,
and of any number of queries at once none gets past a limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from marketplace.billing.terms import Terms
from marketplace.db.direct import write_json
from marketplace.db.together import Statement
from marketplace.spending.errors import LimitReached, PriceMoved

_LINES = """
line as (
    select * from jsonb_to_recordset(cast(:lines as jsonb)) as l (agreement_id uuid, dataset_id uuid, vnd bigint,
        trial_vnd bigint, cap_vnd bigint, trial_queries_most bigint, trial_vnd_most bigint)
)
"""
_COUNTED = """
counted as (
    insert into month_spend as m (agreement_id, month, person_id, organisation_id, dataset_id, queries, vnd,
        trial_queries, trial_vnd)
    select agreement_id, :month, cast(:person as uuid), cast(:organisation as uuid), dataset_id, 1, vnd,
        (trial_vnd is not null)::int, coalesce(trial_vnd, 0) from line
    on conflict (agreement_id, month, person_id) do update set queries = m.queries + 1,
        vnd = m.vnd + excluded.vnd, trial_queries = m.trial_queries + excluded.trial_queries,
        trial_vnd = m.trial_vnd + excluded.trial_vnd
)
"""
_AGAINST = """
select 'limit' as code, case when l.dataset_id is not null then 'dataset'
       when l.person_id is not null then 'person' else 'organisation' end as scope,
       l.month_vnd as most_vnd, s.vnd as spent_vnd, d.vnd as needed_vnd
from spend_limit l
cross join lateral (select coalesce(sum(m.vnd), 0)::bigint as vnd from month_spend m
    where m.organisation_id = l.organisation_id and m.month = :month
    and (l.dataset_id is null or m.dataset_id = l.dataset_id)
    and (l.person_id is null or m.person_id = l.person_id)) s
cross join lateral (select coalesce(sum(n.vnd), 0)::bigint as vnd from line n
    where l.dataset_id is null or n.dataset_id = l.dataset_id) d
where l.organisation_id = cast(:organisation as uuid)
and (l.person_id is null or l.person_id = cast(:person as uuid)) and d.vnd > 0 and s.vnd + d.vnd > l.month_vnd
union all
select 'moved', 'cap', n.cap_vnd, s.vnd, n.vnd from line n
cross join lateral (select coalesce(sum(m.vnd), 0)::bigint as vnd from month_spend m
    where m.agreement_id = n.agreement_id and m.month = :month) s
where n.vnd > 0 and s.vnd + n.vnd > n.cap_vnd
union all
select 'moved', 'trial', 0, s.vnd, n.trial_vnd from line n
cross join lateral (select coalesce(sum(m.trial_queries), 0) as queries,
        coalesce(sum(m.trial_vnd), 0)::bigint as vnd from month_spend m
    where m.organisation_id = cast(:organisation as uuid) and m.dataset_id = n.dataset_id
    and m.trial_queries > 0) s
where n.trial_vnd is not null
and (s.queries >= n.trial_queries_most or s.vnd + n.trial_vnd > n.trial_vnd_most)
"""
_SPEND = text(f"with {_LINES}, {_COUNTED} {_AGAINST}")
_WOULD = text(f"with {_LINES} {_AGAINST}")
_CHANGE = text("""
update month_spend m set queries = m.queries + l.queries, vnd = m.vnd + l.vnd,
    trial_queries = m.trial_queries + l.trial_queries, trial_vnd = m.trial_vnd + l.trial_vnd
from jsonb_to_recordset(cast(:lines as jsonb)) as l (agreement_id uuid, queries bigint, vnd bigint,
    trial_queries bigint, trial_vnd bigint)
where m.agreement_id = l.agreement_id and m.month = :month and m.person_id = :person
""")


class Counted(Struct, frozen=True, kw_only=True):
    """What a query costs for one dataset; `trial_vnd`: what a trial took off, None if it is in none."""

    agreement_id: UUID
    dataset_id: UUID
    vnd: int
    trial_vnd: int | None
    cap_vnd: int | None
    trial_queries_most: int | None
    trial_vnd_most: int | None


class Change(Struct, frozen=True, kw_only=True):
    """By how much what was counted of an agreement becomes another."""

    agreement_id: UUID
    queries: int = 0
    vnd: int = 0
    trial_queries: int = 0
    trial_vnd: int = 0


def counted(terms: Terms, *, agreement_id: UUID, dataset_id: UUID, vnd: int, trial_vnd: int | None) -> Counted:
    """With the bounds of its offer."""
    trial = terms.trial
    return Counted(
        agreement_id=agreement_id,
        dataset_id=dataset_id,
        vnd=vnd,
        trial_vnd=trial_vnd,
        cap_vnd=terms.cap_month_vnd,
        trial_queries_most=trial.queries if trial else None,
        trial_vnd_most=trial.budget_vnd if trial else None,
    )


def spent(lines: Sequence[Counted], *, organisation_id: UUID, person_id: UUID, month: str) -> Statement:
    """What counts a query as it is held; each row it gives stands against it, for `require_within`."""
    whose = {"organisation": organisation_id, "person": person_id, "month": month}
    return Statement(_SPEND, whose | {"lines": write_json(lines)})


def would_spend(lines: Sequence[Counted], *, organisation_id: UUID, person_id: UUID, month: str) -> Statement:
    """The same of a query that is only thought of: nothing is counted, and others may come before it."""
    return Statement(
        _WOULD, spent(lines, organisation_id=organisation_id, person_id=person_id, month=month).parameters
    )


def require_within(found: Sequence[Any]) -> None:
    """Raises LimitReached, PriceMoved."""
    for row in found:
        if row.code == "limit":
            raise LimitReached(
                scope=row.scope, month_vnd=row.most_vnd, spent_vnd=row.spent_vnd, needed_vnd=row.needed_vnd
            )
    if found:
        raise PriceMoved


def changed(changes: Sequence[Change], *, person_id: UUID, month: str) -> Statement:
    """What counts it otherwise once it has ended: it was free, or took less than was held."""
    return Statement(_CHANGE, {"person": person_id, "month": month, "lines": write_json(changes)})
