"""An Idempotency-Key makes a publication once, however often it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from marketplace.audit.models import Event
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.listings.models import Dataset, DatasetVersion
from tests.marketplace.api import Client
from tests.marketplace.listings.conftest import Shop

NEW = "/api/v1/datasets"


def _sent(shop: Shop, file: Path, key: str, *, manifest: str | None = None) -> dict[str, Any]:
    text = manifest or shop.manifest()
    files = {"manifest": ("manifest.yaml", text), "file": (file.name, file.read_bytes())}
    return {"files": files, "token": shop.owner.token, "headers": {"Idempotency-Key": key}}


async def _versions(database: Database, shop: Shop) -> int:
    rows = select(func.count()).select_from(DatasetVersion).join(Dataset, Dataset.id == DatasetVersion.dataset_id)
    async with database.session() as session:
        return await session.scalar(rows.where(Dataset.slug == shop.slug)) or 0


async def test_the_same_publication_again_is_the_same_answer_and_no_second_release(
    client: Client, database: Database, shop: Shop
) -> None:
    key, file = str(new_id()), shop.file()
    first = await client.post(NEW, **_sent(shop, file, key))
    again = await client.post(NEW, **_sent(shop, file, key))
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert again.json() == first.json()
    assert await _versions(database, shop) == 1
    released = select(func.count()).where(
        Event.name == "dataset:publish", Event.version_id == first.json()["version_id"]
    )
    async with database.session() as session:
        assert await session.scalar(released) == 1


async def test_a_version_again_is_the_same_version_even_after_a_newer_one(
    client: Client, database: Database, shop: Shop
) -> None:
    file = shop.file()
    made = await client.post(NEW, **_sent(shop, file, str(new_id())))
    path = f"{NEW}/{made.json()['dataset_id']}/versions"
    second, third = str(new_id()), str(new_id())
    answer = await client.post(path, **_sent(shop, file, second))
    assert (answer.status_code, answer.json()["number"]) == (201, 2)
    assert (await client.post(path, **_sent(shop, file, third))).json()["number"] == 3
    again = await client.post(path, **_sent(shop, file, second))
    assert (again.status_code, again.json()) == (201, answer.json())
    assert await _versions(database, shop) == 3


async def test_a_key_with_another_manifest_file_or_address_is_refused(
    client: Client, database: Database, shop: Shop
) -> None:
    key, file = str(new_id()), shop.file()
    made = await client.post(NEW, **_sent(shop, file, key))
    assert made.status_code == 201, made.text
    for path, sent in (
        (NEW, _sent(shop, file, key, manifest=shop.manifest(base_vnd=2000))),
        (NEW, _sent(shop, shop.file(404), key)),
        (f"{NEW}/{shop.slug}/versions", _sent(shop, file, key)),
    ):
        answer = await client.post(path, **sent)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency.key_reused")
    assert await _versions(database, shop) == 1


async def test_a_key_whose_publication_was_refused_is_free_again(client: Client, shop: Shop) -> None:
    key, file = str(new_id()), shop.file()
    wrong = await client.post(NEW, **_sent(shop, file, key, manifest="slug: x"))
    assert wrong.status_code == 422
    assert (await client.post(NEW, **_sent(shop, file, key))).status_code == 201


async def test_a_key_is_not_longer_than_200_characters(client: Client, shop: Shop) -> None:
    answer = await client.post(NEW, **_sent(shop, shop.file(5), "k" * 201))
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
