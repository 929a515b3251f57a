"""The loop comes to every row: none that fails keeps those behind it from their turn."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial

import msgspec
import numpy as np
import pytest
from sqlalchemy import text, update

from catalog.quality.figures import Figures
from catalog.quality.wire import Profile
from marketplace.config import Config
from marketplace.consents.reads import excluded
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.listings.press import Press
from marketplace.quality import jobs, walking
from marketplace.quality.actions import AGAIN_AFTER, ATTEMPTS_MAX
from marketplace.quality.figured import read_figures
from marketplace.quality.freshness import Freshness, freshness
from marketplace.quality.released import look_at_released
from tests.marketplace.broken_audit import broken_audit
from tests.marketplace.listed import list_dataset
from tests.marketplace.listings.conftest import Shop
from tests.marketplace.listings.test_publish import _publish, _withdraw
from tests.marketplace.parties import Make, Party

BLOCKING = 21
"""More than were once taken at a time."""
LOOKED_AT = text("""
    insert into quality_check (id, dataset_id, version_id, room, judge, scores, verdicts, drift, checked_at)
    select gen_random_uuid(), v.dataset_id, v.id, 'released', 'own', '[]', '[]', '[]', now() from dataset_version v
    on conflict do nothing
""")
PROFILE = text("select profile from quality_check where version_id = :id and room = 'released'")
TRIED = text("""
    select a.* from quality_attempt a join dataset_version v on v.id = a.version_id where v.dataset_id = any(:ids)
""")
GIVEN_UP = text("select version_id from event where name = 'quality:unseen' and dataset_id = any(:ids)")
TOLD = text("select version_id from quality_overdue where dataset_id = any(:ids)")


async def listed(database: Database, owner: Party, many: int) -> list[Dataset]:
    async with database.session() as session:
        return [await list_dataset(session, owner.organisation, owner.person) for _ in range(many)]


async def test_versions_that_cannot_be_looked_at_keep_no_newer_one_from_it(
    database: Database, press: Press, shop: Shop
) -> None:
    """Twenty without files, and one whose row nobody understands, are older. Who withdrew is not looked at."""
    async with database.session() as session:
        await session.execute(LOOKED_AT)  # what other tests listed is none of ours
    blocking = [dataset.id for dataset in await listed(database, shop.owner, BLOCKING)]
    async with database.session() as session:
        of_the_last = DatasetVersion.dataset_id == blocking[-1]
        await session.execute(update(DatasetVersion).where(of_the_last).values(body={"mode": "rows"}))
    try:
        released = await _publish(press, shop)
        await _withdraw(press, shop, released.dataset_id, "P00001")
        first, look = utcnow(), partial(look_at_released, database, press.store, press.config, asyncio.Event())
        assert await look(at=first) == 1
        await look(at=first + AGAIN_AFTER / 2)
        tried = await database.all(TRIED, {"ids": blocking})
        assert {row.attempts for row in tried} == {1}, "a disk that is away for a while makes nobody give up"
        for each in range(ATTEMPTS_MAX):
            await look(at=first + (each + 1.5) * AGAIN_AFTER)
        tried = await database.all(TRIED, {"ids": blocking})
        assert len(tried) == BLOCKING
        assert {row.attempts for row in tried} == {ATTEMPTS_MAX}, "bounded"
        assert {row.reason for row in tried} == {"VersionDamaged", "ValidationError"}
        given_up = await database.all(GIVEN_UP, {"ids": blocking})
        assert sorted(row.version_id for row in given_up) == sorted(row.version_id for row in tried), "told once"
    finally:
        async with database.session() as session:
            nothing = update(Dataset).where(Dataset.id.in_(blocking)).values(current_version_id=None)
            await session.execute(nothing)
    (seen,) = await database.all(PROFILE, {"id": released.version_id})
    async with database.reading() as session:
        left, _ = await excluded(session, released.version_id, "research.academic")
    ranges = np.load(press.store.private(released.version_id) / "cohorts.npy")
    assert left
    assert seen.profile["persons"] == 300 - sum(int(ranges[c, 2] - ranges[c, 1]) for c in left)


async def test_versions_cannot_be_subtracted_to_learn_of_one_person(
    database: Database, press: Press, shop: Shop
) -> None:
    """Figures stay as they were whoever withdraws; one person who comes is not in the next version's."""

    async def look(version_id: str) -> tuple[Figures, Profile]:
        await look_at_released(database, press.store, press.config, asyncio.Event(), at=utcnow())
        (row,) = await database.all(PROFILE, {"id": version_id})
        async with database.reading() as session:
            return await read_figures(session, version_id), msgspec.convert(row.profile, Profile)

    async with database.session() as session:
        await session.execute(LOOKED_AT)
    first = await _publish(press, shop)
    async with database.reading() as session:
        assert (await read_figures(session, first.version_id)).state == "waiting"
    shown, counted = await look(first.version_id)
    assert {bar.label for column in shown.columns for bar in column.bars} >= {"Huế", "A1"}
    await _publish(press, shop, persons=402)
    async with database.session() as session:
        dataset = await session.get_one(Dataset, first.dataset_id)
    assert dataset.current_version_id not in (None, first.version_id)
    assert await look(dataset.current_version_id or "") == (shown, counted), "P00401 waits for others"
    await _withdraw(press, shop, first.dataset_id, "P00001")
    assert await look(first.version_id) == (shown, counted), "counted once"


async def test_what_is_overdue_is_told_beside_one_that_cannot_be(
    database: Database, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who promises nothing, or is surely in time, is not even read."""
    monkeypatch.setattr(walking, "PAGE_ROWS", 2)
    read = set()

    def reading(update_frequency: str, released_at: datetime, *, at: datetime) -> Freshness:
        read.add(update_frequency)
        return freshness(update_frequency, released_at, at=at)

    monkeypatch.setattr(jobs, "freshness", reading)
    broken, owner = [await Make().party(database, kind="owner") for _ in range(2)]
    datasets = [*await listed(database, broken, 1), *await listed(database, owner, 3)]
    ids = [dataset.id for dataset in datasets]
    async with database.session() as session:
        await session.execute(update(Dataset).where(Dataset.id.in_(ids)).values(update_frequency="daily"))
        (in_time,) = await listed(database, owner, 1)
        await session.execute(update(Dataset).where(Dataset.id == in_time.id).values(update_frequency="weekly"))
    with broken_audit(config, broken.organisation.id):
        await jobs.tell_all_overdue(database, at=utcnow() + timedelta(days=2))
    told = {row.version_id for row in await database.all(TOLD, {"ids": ids})}
    assert read == {"daily"}
    assert told == {dataset.current_version_id for dataset in datasets[1:]}
