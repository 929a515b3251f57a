"""What others see of a version: how full its columns are, how far it moved from the last; from its files alone."""

from __future__ import annotations

import asyncio
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text

from catalog.limits import IngestLimits
from catalog.quality.drift import drift
from catalog.quality.profile import profile
from catalog.quality.report import AxisScore
from catalog.quality.wire import Profile
from catalog.storage import Store
from catalog.version import Version
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.listings.searched import index_dataset
from marketplace.quality.actions import keep_released_check
from marketplace.quality.walking import over_all

_UNSEEN = text("""
select v.created_at as key_at, v.id as key_id, v.id as version_id, d.id as dataset_id, d.owner_id, d.partner_id,
       v.body,
       (select q.profile from quality_check q join dataset_version p on p.id = q.version_id
        where p.dataset_id = d.id and q.room = 'released' and p.number < v.number order by p.number desc limit 1)
       as before
from dataset d join dataset_version v on v.id = d.current_version_id
where not exists (select from quality_check q where q.version_id = v.id and q.room = 'released')
and (v.created_at, v.id) > (:after_at, :after_id) order by v.created_at, v.id limit :page_rows
""")
_GONE = text("""
select coalesce(array_agg(distinct cohort), '{}') as cohorts, coalesce(max(revision), 0) as number
from excluded_cohort where version_id = :version_id
""")


async def look_at_released(
    database: Database, store: Store, config: Config, stop: asyncio.Event, *, at: datetime
) -> int:
    """Look at listed versions that were not looked at yet, until `stop`. How many. Raises Unavailable.

    One that cannot be looked at keeps no other from it.
    """

    async def look(row: Any) -> int:
        return 0 if stop.is_set() else await _look(database, store, config, row, at=at)

    return await over_all(database, _UNSEEN, {}, look)


async def _look(database: Database, store: Store, config: Config, row: Any, *, at: datetime) -> bool:
    version = msgspec.convert(row.body, Version)
    files = await _readable(database, store, version.id)
    limits = IngestLimits(deadline_ms=config.ingest_deadline_ms, memory_bytes=config.ingest_memory_bytes)
    found = await asyncio.to_thread(profile, files, version, limits=limits)
    before = msgspec.convert(row.before, Profile) if row.before else None
    owners = (row.owner_id,) if row.partner_id is None else (row.owner_id, row.partner_id)
    async with database.session() as session:
        kept = await keep_released_check(
            session,
            dataset_id=row.dataset_id,
            version_id=row.version_id,
            owners=owners,
            scores=(fullness(found),) if found is not None else (),
            profile=found,
            drift=drift(before, found) if before is not None and found is not None else (),
            at=at,
        )
        await index_dataset(session, row.dataset_id)
    return kept


async def _readable(database: Database, store: Store, version_id: str) -> list[Path]:
    """The version's parts without each cohort that left, be it for one purpose: what is seen of it is for none."""
    gone = await database.one(_GONE, {"version_id": version_id})
    assert gone is not None  # an aggregate has a row
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
