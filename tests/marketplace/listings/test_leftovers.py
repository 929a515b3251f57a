"""Nothing stays in the store that was not released, and what was released is never removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from catalog.storage import Store
from marketplace.listings import publish
from marketplace.listings.errors import ListingDenied, Overtaken
from marketplace.listings.making import make_permitted_version, make_version
from marketplace.listings.models import DatasetVersion
from marketplace.listings.press import Press
from marketplace.listings.publish import alone, publish_version
from marketplace.listings.sweeping import sweep_versions
from policies.decision import Decision, ListingQuestion
from policies.engine import Engine
from tests.marketplace.listings.conftest import Shop

STRAY = "lost+found"


async def _released(press: Press) -> set[str]:
    async with press.database.reading() as session:
        return set(await session.scalars(select(DatasetVersion.id)))


def _stored(store: Store, *names: str) -> set[str]:
    return {folder.name for name in names for folder in (store.root / name).iterdir() if folder.name != STRAY}


async def test_a_version_that_is_overtaken_leaves_nothing_in_the_store(
    press: Press, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _stored(press.store, "versions", "private")
    made: list[str] = []

    async def overtaken(*order: Any, **more: Any) -> Any:
        publication, judged = await make_permitted_version(*order, **more)
        made.append(publication.version.id)
        if len(made) == 1:  # the lineage's other dataset is released meanwhile
            beside = shop.manifest(slug=f"{shop.slug}_b", population=shop.slug)
            await publish_version(press, manifest_text=beside, source=shop.file(), by=shop.by)
        return publication, judged

    await publish_version(press, manifest_text=shop.manifest(), source=shop.file(), by=shop.by)
    monkeypatch.setattr(publish, "make_permitted_version", overtaken)
    order: dict[str, Any] = {
        "manifest_text": shop.manifest(),
        "source": shop.file(),
        "by": shop.by,
        "may_exist": True,
    }
    with pytest.raises(Overtaken):
        await publish_version(press, **order)
    assert len(made) == 2
    for name in ("versions", "private"):
        new = _stored(press.store, name) - before
        assert made[0] not in new
        assert made[1] in new
        assert new <= await _released(press)


class _Strict:
    """The press's engine, which this time denies whatever was made."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def decide(self, question: ListingQuestion) -> Decision:
        said = await self._engine.decide(question)
        return said if question.version is None else replace(said, allow=False, obligations=None)


async def test_a_version_that_is_denied_leaves_nothing_in_the_store(press: Press, shop: Shop) -> None:
    before = _stored(press.store, "versions", "private")
    strict: Any = _Strict(press.engine)
    with pytest.raises(ListingDenied) as denied:
        await publish_version(
            replace(press, engine=strict), manifest_text=shop.manifest(), source=shop.file(), by=shop.by
        )
    assert denied.value.judged.question.version is not None
    assert _stored(press.store, "versions", "private") == before


def _age(store: Store, version_id: str) -> None:
    for folder in (store.public(version_id), store.private(version_id)):
        if folder.exists():
            os.utime(folder, (0, 0))


async def test_the_sweep_removes_what_no_row_names_and_nothing_else(
    press: Press, shop: Shop, tmp_path: Path
) -> None:
    """In a store of its own: the session's is every test's."""
    press = replace(press, store=Store(tmp_path / "store"))
    listed = await publish_version(press, manifest_text=shop.manifest(), source=shop.file(), by=shop.by)
    made = await make_version(shop.manifest(), shop.file(), store=press.store, key=bytes(32), config=press.config)
    left, half = made.version.id, "ab" * 32
    press.store.private(half).mkdir()
    (press.store.root / "private" / STRAY).mkdir()
    os.utime(press.store.root / "private" / STRAY, (0, 0))
    _age(press.store, left)
    assert await sweep_versions(press) == 0, "no row names any: it may be another database's store"
    _age(press.store, listed.version_id)
    async with alone(press.database, shop.slug):
        assert await sweep_versions(press) == 0, "somebody may be about to release it"
    assert await sweep_versions(press) == 1
    assert _stored(press.store, "versions") == {listed.version_id}
    assert _stored(press.store, "private") == {listed.version_id, half}, "half is young"
    _age(press.store, half)
    assert await sweep_versions(press) == 1
    assert await sweep_versions(press) == 0
    assert _stored(press.store, "versions", "private") == {listed.version_id}
    assert (press.store.root / "private" / STRAY).exists()
