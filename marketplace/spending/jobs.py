"""Tells a startup, once, that its spending has reached a share of a limit that it set."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.audit.actions import record
from marketplace.calendar import month_of
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.spending.actions import scope_of

logger = logging.getLogger(__name__)

TURN = timedelta(days=1)
"""A month that ended so recently is looked at too: its last queries came after the last look."""
REACHED = text("""
insert into spend_alert (id, organisation_id, dataset_id, person_id, month, percent, spent_vnd, limit_vnd, at)
select :id, l.organisation_id, l.dataset_id, l.person_id, s.month, p.percent, s.vnd, l.month_vnd, :at
from spend_limit l
cross join lateral (select m.month, sum(m.vnd)::bigint as vnd from month_spend m
    where m.organisation_id = l.organisation_id and m.month = any(:months)
    and (l.dataset_id is null or m.dataset_id = l.dataset_id)
    and (l.person_id is null or m.person_id = l.person_id) group by m.month) s
cross join lateral unnest(l.alert_percent) as p (percent)
where s.vnd > 0 and s.vnd * 100 >= l.month_vnd * p.percent
and not exists (select from spend_alert a where a.organisation_id = l.organisation_id and a.month = s.month
    and a.percent = p.percent and a.limit_vnd = l.month_vnd and a.dataset_id is not distinct from l.dataset_id
    and a.person_id is not distinct from l.person_id)
order by l.organisation_id, s.month, p.percent limit 1
on conflict do nothing returning *
""")
"""One at a time, each with its event."""
AT_ONCE = 1_000


async def tell_reached(database: Database, *, at: datetime) -> int:
    """Write what was reached and not told yet. How many."""
    months = sorted({month_of(at), month_of(at - TURN)})
    for told in range(AT_ONCE):
        async with database.session() as session:
            row = (await session.execute(REACHED, {"id": new_id(), "months": months, "at": at})).one_or_none()
            if row is None:
                return told
            await record(
                session,
                "spending:alert",
                parties=(row.organisation_id,),
                body={
                    "scope": scope_of(row.dataset_id, row.person_id),
                    "dataset": row.dataset_id,
                    "person": row.person_id,
                    "month": row.month,
                    "percent": row.percent,
                    "spent_vnd": row.spent_vnd,
                    "month_vnd": row.limit_vnd,
                },
            )
    return AT_ONCE


async def run_alerts(database: Database, config: Config, stop: asyncio.Event) -> None:
    """Now and every `sweep_interval_s` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await tell_reached(database, at=utcnow())
        except (Unavailable, DBAPIError) as away:
            logger.warning("spending alerts wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)
