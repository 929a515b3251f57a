"""What others see of a version: how full its columns are, how far it moved from the last; from its files alone."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from catalog.quality.drift import drift
from catalog.quality.profile import profile
from catalog.quality.report import AxisScore
from catalog.quality.wire import Profile
from catalog.storage import Store
from catalog.version import Version
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.listings.searched import index_dataset
from marketplace.quality.actions import AGAIN_AFTER, ATTEMPTS_MAX, count_unseen, keep_released_check
from marketplace.quality.walking import over_all

logger = logging.getLogger(__name__)

_UNSEEN = text("""
select v.created_at as key_at, v.id as key_id, v.id as version_id, d.id as dataset_id, d.owner_id, d.partner_id,
       v.body,
       (select q.profile from quality_check q join dataset_version p on p.id = q.version_id
        where p.dataset_id = d.id and q.room = 'released' and p.number < v.number order by p.number desc limit 1)
       as before
from dataset d join dataset_version v on v.id = d.current_version_id
where not exists (select from quality_check q where q.version_id = v.id and q.room = 'released')
and not exists (
    select from quality_attempt a
    where a.version_id = v.id and (a.attempts >= :attempts_max or a.tried_at > :tried)
)
and (v.created_at, v.id) > (:after_at, :after_id) order by v.created_at, v.id limit :page_rows
""")
_GONE = text("""
select coalesce(array_agg(distinct cohort), '{}') as cohorts, coalesce(max(revision), 0) as number,
       (select count(*) from dataset where current_version_id = :version_id) as current
from excluded_cohort where version_id = :version_id
""")


async def look_at_released(
    database: Database, store: Store, config: Config, stop: asyncio.Event, *, at: datetime
) -> int:
    """Look at listed versions that were not looked at yet, until `stop`. How many. Raises Unavailable.

    A replaced one is not looked at: who has withdrawn since is out of the current version only.

    One that cannot be looked at keeps no other from it, and is given up after `ATTEMPTS_MAX` times.
    """

    async def look(row: Any) -> int:
        if stop.is_set():
            return 0
        try:
            return await _look(database, store, config, row, at=at)
        except Unavailable:
            raise
        except Exception as error:
            if _says_something(error):
                await _count(database, row, error, at=at)
            raise

    bounds = {"attempts_max": ATTEMPTS_MAX, "tried": at - AGAIN_AFTER}
    return await over_all(database, _UNSEEN, bounds, look)


def _says_something(error: Exception) -> bool:
    """Of the version: not that a jail cannot be had, or that the database is away."""
    return not isinstance(error, DBAPIError) and getattr(error, "code", "") != "sandbox.unavailable"


async def _count(database: Database, row: Any, error: Exception, *, at: datetime) -> None:
    reason = str(getattr(error, "code", type(error).__name__))
    async with database.session() as session:
        attempts = await count_unseen(
            session,
            dataset_id=row.dataset_id,
            version_id=row.version_id,
            owners=_owners(row),
            reason=reason,
            at=at,
        )
    if attempts >= ATTEMPTS_MAX:
        logger.error(
            "version %s cannot be looked at (%s): given up after %d times", row.version_id, reason, attempts
        )


def _owners(row: Any) -> tuple[UUID, ...]:
    return (row.owner_id,) if row.partner_id is None else (row.owner_id, row.partner_id)


async def _look(database: Database, store: Store, config: Config, row: Any, *, at: datetime) -> bool:
    version = msgspec.convert(row.body, Version)
    files = await _readable(database, store, version.id)
    if files is None:
        return False
    limits = config.ingest_limits()
    found = await asyncio.to_thread(profile, files, version, limits=limits)
    before = msgspec.convert(row.before, Profile) if row.before else None
    async with database.session() as session:
        kept = await keep_released_check(
            session,
            dataset_id=row.dataset_id,
            version_id=row.version_id,
            owners=_owners(row),
            scores=(fullness(found),) if found is not None else (),
            profile=found,
            drift=drift(before, found) if before is not None and found is not None else (),
            at=at,
        )
        await index_dataset(session, row.dataset_id)
    return kept


async def _readable(database: Database, store: Store, version_id: str) -> list[Path] | None:
    """The version's parts without each cohort that left, be it for one purpose: what is seen of it is for none.

    None: it was replaced or taken back while it waited for its turn."""
    gone = await database.one(_GONE, {"version_id": version_id})
    assert gone is not None  # an aggregate has a row
    if not gone.current:
        return None
    revision = await asyncio.to_thread(
        store.revision, version_id, purpose=None, excluded=frozenset(gone.cohorts), number=gone.number
    )
    return [Path(part) for part in revision.parts]


def fullness(found: Profile) -> AxisScore:
    """đủ, of what was released: the mean share of persons with a value, over the columns."""
    persons = max(found.persons, 1)
    empty = [sum(b.persons for b in c.bins if b.label is None) for c in found.columns]
    full = sum((1 - Fraction(n, persons) for n in empty), Fraction())
    permille = int(1000 * full / len(empty)) if empty else None
    return AxisScore(axis="complete", permille=permille, state="met", expectations=len(empty), failed=0, errors=0)
