"""Looks at what was released, tells what is overdue, finds promises that broke."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from catalog.storage import Store
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.quality.actions import tell_overdue
from marketplace.quality.breaking import find_broken
from marketplace.quality.freshness import freshness, overdue_before
from marketplace.quality.released import look_at_released
from marketplace.quality.walking import over_all

logger = logging.getLogger(__name__)

_UNTOLD = text("""
select v.created_at as key_at, v.id as key_id, v.id as version_id, v.created_at, d.id as dataset_id, d.owner_id,
       d.partner_id, d.update_frequency
from dataset d join dataset_version v on v.id = d.current_version_id
join unnest(cast(:frequencies as text[]), cast(:before as timestamptz[])) as promised (frequency, before)
  on promised.frequency = d.update_frequency and v.created_at < promised.before
where not exists (select from quality_overdue o where o.version_id = v.id)
and (v.created_at, v.id) > (:after_at, :after_id) order by v.created_at, v.id limit :page_rows
""")


async def tell_all_overdue(database: Database, *, at: datetime) -> int:
    """Tell each version that was not followed in time, once. How many. Raises Unavailable."""
    before = overdue_before(at)
    asked = {"frequencies": list(before), "before": list(before.values())}
    return await over_all(database, _UNTOLD, asked, partial(_tell, database, at=at))


async def _tell(database: Database, row: Any, *, at: datetime) -> int:
    found = freshness(row.update_frequency, row.created_at, at=at)
    if found.state != "overdue" or found.due_at is None:
        return 0
    owners = (row.owner_id,) if row.partner_id is None else (row.owner_id, row.partner_id)
    async with database.session() as session:
        return await tell_overdue(
            session,
            dataset_id=row.dataset_id,
            version_id=row.version_id,
            owners=owners,
            due=found.due_at,
            at=at,
        )


async def run_quality(database: Database, store: Store, config: Config, stop: asyncio.Event) -> None:
    """Every `quality_interval_s` until `stop`; waits out what is away, database or jail."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.quality_interval_s)
            return
        try:
            await tell_all_overdue(database, at=utcnow())
            await find_broken(database, at=utcnow())
            await look_at_released(database, store, config, stop, at=utcnow())
        except (Unavailable, DBAPIError) as away:
            logger.warning("quality is not looked at now: %s", type(away).__name__)
