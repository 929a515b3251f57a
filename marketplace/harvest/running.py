"""One look at another catalogue, from its claim to its report."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.harvest.errors import RunFailed
from marketplace.harvest.models import HarvestRun, HarvestSource
from marketplace.harvest.writing import Written, mark_vanished, still_there, write_listings

if TYPE_CHECKING:
    from marketplace.harvest.fetching import Fetcher
    from marketplace.harvest.walking import Step

logger = logging.getLogger(__name__)
MOST_REFUSALS = 100
"""Told one by one in a report; the others are counted."""


async def run_next(database: Database, config: Config) -> UUID | None:
    """Look at the source that has been due longest; the id of the report, None if none is due."""
    claimed = await _claim(database, at=utcnow())
    if claimed is None:
        return None
    from marketplace.harvest.fetching import Fetcher  # aiohttp: not before something is due

    source, run = claimed
    fetcher = Fetcher(config)
    try:
        await _walk_in_time(database, fetcher, source, run)
        state, code, wait_s = "done", None, None
    except RunFailed as failed:
        same = failed.code == "not_modified"
        state, code, wait_s = "done" if same else "failed", failed.code, failed.wait_s
    except (ArithmeticError, AssertionError, LookupError, RecursionError, TypeError, ValueError):
        # What nobody thought of in somebody's answer ends this run, and keeps no other source waiting.
        logger.exception("harvesting %s", source.url)
        state, code, wait_s = "failed", "not_that_form", None
    finally:
        await fetcher.close()
    run.state, run.code, run.requests = state, code, fetcher.requests
    async with database.session() as session:
        await _report(session, source, run, wait_s=wait_s, at=utcnow())
    return run.id


async def _claim(database: Database, *, at: datetime) -> tuple[HarvestSource, HarvestRun] | None:
    """Whoever claims moves the next look away, so that no other process looks too; a dead one's run is told so."""
    async with database.session() as session:
        due = select(HarvestSource).where(HarvestSource.due_at <= at).order_by(HarvestSource.due_at).limit(1)
        source = await session.scalar(due.with_for_update(skip_locked=True))
        if source is None:
            return None
        source.due_at = at + timedelta(hours=source.every_hours)
        left = update(HarvestRun).where(HarvestRun.source_id == source.id, HarvestRun.state == "running")
        await session.execute(left.values(state="interrupted", ended_at=at))
        run = HarvestRun(id=new_id(), source_id=source.id, began_at=at, refusals=[])
        session.add(run)
        await session.flush()
    return source, run


async def _walk_in_time(database: Database, fetcher: Fetcher, source: HarvestSource, run: HarvestRun) -> None:
    """Each page has a limit of its own, but there may be thousands. Raises RunFailed."""
    config = fetcher.config
    try:
        async with asyncio.timeout(config.harvest_run_max_s):
            await _walk(database, fetcher, source, run, most_listings=config.harvest_max_listings)
    except TimeoutError as slow:
        raise RunFailed("too_long") from slow


async def _walk(
    database: Database, fetcher: Fetcher, source: HarvestSource, run: HarvestRun, *, most_listings: int
) -> None:
    """Page by page, each committed by itself; who vanished is known at the end alone. Raises RunFailed."""
    from marketplace.harvest.walking import walk

    written, newest, last = Written(), source.seen_modified or "", None
    refused = 0
    try:
        async for step in walk(fetcher, source):
            last = step.fetched
            written += await _write(database, step, source.id, run.id)
            refused += len(step.read.refused)
            room = max(0, MOST_REFUSALS - len(run.refusals))
            run.refusals = [*run.refusals, *({"id": r.id, "code": r.code} for r in step.read.refused[:room])]
            newest = max([newest, *(each.modified for each in step.read.listings)])
            if written.new + written.changed + written.unchanged + refused > most_listings:
                raise RunFailed("too_many_listings")
    finally:
        run.new, run.changed, run.unchanged = written.new, written.changed, written.unchanged
        run.returned, run.refused = written.returned, refused
    async with database.session() as session:
        run.vanished = await mark_vanished(session, source_id=source.id, run_id=run.id, at=utcnow())
    source.etag = last.etag if last else None
    source.last_modified = last.last_modified if last else None
    source.seen_modified = (newest or None) if source.kind == "ckan" else None


async def _write(database: Database, step: Step, source_id: UUID, run_id: UUID) -> Written:
    async with database.session() as session:
        written = await write_listings(
            session, step.read.listings, source_id=source_id, run_id=run_id, at=utcnow()
        )
        if step.names:
            written += await still_there(session, step.names, source_id=source_id, run_id=run_id)
    return written


async def _report(
    session: AsyncSession, source: HarvestSource, run: HarvestRun, *, wait_s: int | None, at: datetime
) -> None:
    """The run's end, in the transaction of its event; a server that asked for time gets it."""
    counts = {
        name: getattr(run, name) for name in ("new", "changed", "unchanged", "returned", "vanished", "refused")
    }
    told = {"ended_at": at, "state": run.state, "code": run.code, "requests": run.requests}
    mine = update(HarvestRun).where(HarvestRun.id == run.id)
    await session.execute(mine.values(**counts, **told, refusals=run.refusals))
    kept = {"etag": source.etag, "last_modified": source.last_modified, "seen_modified": source.seen_modified}
    again = {"due_at": at + timedelta(seconds=wait_s)} if wait_s is not None else {}
    going_on = update(HarvestSource).where(HarvestSource.id == source.id, HarvestSource.due_at.is_not(None))
    await session.execute(going_on.values(**kept, **again))
    body = {"source": source.id, "run": run.id, "state": run.state, "code": run.code, **counts}
    await record(session, "harvest:run", body=body)
