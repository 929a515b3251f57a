"""Background work on publications: what the exchange has to do about each, and the files that nobody needs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from marketplace.db.base import utcnow
from marketplace.errors import Unavailable
from marketplace.listings.errors import PublicationUnderWay
from marketplace.listings.press import Press
from marketplace.listings.publish import alone
from marketplace.listings.sweeping import sweep_versions
from marketplace.publications.files import folders, forget
from marketplace.publications.machine import AT_WORK
from marketplace.publications.models import PublicationRow
from marketplace.publications.reminding import remind
from marketplace.publications.running import advance
from marketplace.publications.stages import locked, step

logger = logging.getLogger(__name__)

SWEEP_EVERY_S = 3_600.0
ABANDONED_S = 86_400
"""A folder whose row is not there by then was left by a process that died while it received the file."""
_WORK = (
    select(PublicationRow.id, PublicationRow.slug, PublicationRow.state)
    .where(PublicationRow.has_files, PublicationRow.state.in_((*AT_WORK, "listed", "cancelled")))
    .order_by(PublicationRow.id)
)
_KNOWN = text("select id from publication where id = any(:ids)")


async def work_once(press: Press, stop: asyncio.Event | None = None) -> int:
    """Bring each as far as it goes, one after the other, until `stop`; how many nobody else worked on."""
    stop = stop or asyncio.Event()
    async with press.database.reading() as session:
        waiting = (await session.execute(_WORK)).all()
    done = 0
    for publication_id, slug, state in waiting:
        if stop.is_set():
            break
        with contextlib.suppress(PublicationUnderWay):
            async with alone(press.database, slug):
                await (
                    _advance(press, publication_id, stop) if state in AT_WORK else _close(press, publication_id)
                )
            done += 1
    return done


async def sweep(press: Press) -> int:
    """Remove folders that no row knows; how many."""
    old = await asyncio.to_thread(folders, press.store, older_than_s=ABANDONED_S)
    if not old:
        return 0
    async with press.database.reading() as session:
        known = set(await session.scalars(_KNOWN, {"ids": list(old)}))
    gone = [publication_id for publication_id in old if publication_id not in known]
    for publication_id in gone:
        await asyncio.to_thread(forget, press.store, press.keys, publication_id)
    return len(gone)


async def run_publications(press: Press, stop: asyncio.Event) -> None:
    """Now and every `publication_interval_ms` until `stop`; waits out a database or a disk that is away."""
    swept_at_s = time.monotonic() - SWEEP_EVERY_S
    while not stop.is_set():
        try:
            await work_once(press, stop)
            if not stop.is_set() and time.monotonic() - swept_at_s >= SWEEP_EVERY_S:
                async with press.database.session() as session:
                    await remind(session, at=utcnow())
                await sweep(press)
                await sweep_versions(press)
                swept_at_s = time.monotonic()
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("publications wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), press.config.publication_interval_ms / 1000)


async def _advance(press: Press, publication_id: UUID, stop: asyncio.Event) -> None:
    """What nobody foresaw fails this one and keeps no other from its turn; a database away is waited for."""
    try:
        await advance(press, publication_id, stop)
    except (Unavailable, DBAPIError):
        raise
    except Exception as error:
        logger.exception("publication %s failed", publication_id)
        async with press.database.session() as session:
            row = await locked(session, publication_id)
            if row.state in AT_WORK:
                row.problem = {"code": "publication.broke", "params": {"what": type(error).__name__}}
                step(row, "fail")


async def _close(press: Press, publication_id: UUID) -> None:
    """Listed or given up: key and files go."""
    await asyncio.to_thread(forget, press.store, press.keys, publication_id)
    async with press.database.session() as session:
        (await locked(session, publication_id)).has_files = False
