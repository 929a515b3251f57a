"""The job that rewrites parts: the next query finds them made, and a version that lost much is noticed once."""

from __future__ import annotations

from sqlalchemy import select

from catalog.storage import Store
from marketplace.audit.models import Event
from marketplace.consents.reads import excluded
from marketplace.consents.revisions import Rewriter
from marketplace.db.engine import Database
from marketplace.listings.models import DatasetVersion
from marketplace.listings.press import Press
from marketplace.listings.reads import read_dataset
from tests.marketplace.listings.conftest import Shop
from tests.marketplace.listings.test_publish import _publish, _withdraw

PURPOSE = "research.academic"
ALL_BUT_NONE = 1_000


async def _worn(database: Database, version_id: str) -> bool:
    async with database.reading() as session:
        return (await session.get_one(DatasetVersion, version_id)).worn_at is not None


async def test_parts_are_rewritten_before_somebody_asks_and_a_worn_version_is_noticed_once(
    press: Press, shop: Shop
) -> None:
    database, store = press.database, press.store
    released = await _publish(press, shop)
    version = store.version(released.version_id)
    patient = Rewriter(database, store, worn_permille=ALL_BUT_NONE)
    await patient.run()
    before = sorted((store.root / "revisions").rglob("*.parquet"))
    await _withdraw(press, shop, released.dataset_id, "P00001")
    assert await patient.run() >= 1
    async with database.reading() as session:
        cohorts, number = await excluded(session, version.id, PURPOSE)
    made = store.at_hand(version.id, purpose=PURPOSE, number=number)
    assert made is not None
    assert (
        made.parts
        == Store(store.root).revision(version.id, purpose=PURPOSE, excluded=cohorts, number=number).parts
    )
    assert len(sorted((store.root / "revisions").rglob("*.parquet"))) == len(before) + 1
    assert not await _worn(database, version.id)
    assert await patient.run() == 0, "nothing has changed"

    for _ in range(2):
        await Rewriter(database, store, worn_permille=ALL_BUT_NONE // version.cohorts).run()
    assert await _worn(database, version.id)
    async with database.session() as session:
        page = await read_dataset(session, shop.slug)
        told = select(Event.parties).where(Event.name == "dataset:worn", Event.version_id == version.id)
        assert (await session.scalars(told)).all() == [[shop.owner.organisation.id]]
    assert page is not None
    assert page.version.worn
