"""A suite sent with the file: judged, kept with the version, and what others see looked at afterwards."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from catalog.quality import gate
from catalog.quality.suite import Suite
from catalog.storage import Store
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.listings.api import handlers
from marketplace.listings.press import Press
from marketplace.quality import api, released
from marketplace.quality.released import look_at_released
from tests.catalog.quality.tables import expect
from tests.conftest import ClientFor
from tests.marketplace.listings.conftest import Shop

EVENTS = text("select body from event where name = 'quality:check' and dataset_id = :dataset order by id")


def suite(*, most: int, critical: bool = False) -> str:
    """Offences are at most so many; a province is always told."""
    told = Suite(name="licences", expectations=(
        expect("column_values_to_not_be_null", "complete", column="tinh"),
        expect("column_values_to_be_between", "accurate", critical, column="loi", max_value=most),
    ))  # fmt: skip
    return msgspec.json.encode(told).decode()


def sent(shop: Shop, suite_text: str) -> dict[str, Any]:
    file = shop.file()
    return {"files": {"manifest": ("m.yaml", shop.manifest()), "file": (file.name, file.read_bytes()),
                      "suite": ("suite.json", suite_text)}}  # fmt: skip


async def test_a_version_keeps_what_its_suite_found_and_the_next_one_does_not_drift_from_it(
    client_for: ClientFor, press: Press, shop: Shop, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "expectations_binds", lambda: None)
    token = shop.owner.token
    async with client_for(
        *handlers, *api.handlers, store=press.store, keys=press.keys, engine=press.engine
    ) as client:
        no_suite = await client.post("/api/v1/datasets", token=token, **sent(shop, "name: x"))
        contradicts = await client.post(
            "/api/v1/datasets", token=token, **sent(shop, suite(most=4).replace("tinh", "so"))
        )
        misses = await client.post("/api/v1/datasets", token=token, **sent(shop, suite(most=4, critical=True)))
        made = await client.post("/api/v1/datasets", token=token, **sent(shop, suite(most=4)))
        assert made.status_code == 201, made.text
        assert await bands(client, shop) == ["fair"], "by the owner's file at once"
        await look_at_released(database, press.store, press.config, asyncio.Event(), at=utcnow())
        dataset = made.json()["dataset_id"]
        path = f"/api/v1/datasets/{dataset}"
        again = await client.post(f"{path}/versions", token=token, **sent(shop, suite(most=6)))
        assert again.status_code == 201, again.text
        await look_at_released(database, press.store, press.config, asyncio.Event(), at=utcnow())
        page = (await client.get(f"{path}/quality", token=token)).json()
        async with database.session() as session:
            await session.execute(
                text("update dataset set current_version_id = null where id = :id"), {"id": dataset}
            )
        kept = await client.get(f"{path}/quality", token=token)
        assert kept.json()["checks"] == page["checks"], "what was found is its owner's, listed or not"
        assert (await client.get(f"{path}/quality")).status_code == 404
    assert [e["code"] for e in no_suite.json()["errors"]] == ["manifest.missing_key"]
    assert [e["code"] for e in contradicts.json()["errors"]] == ["quality.unknown_column"]
    assert misses.json()["code"] == "quality.critical"
    looks = {(c["number"], c["room"]): c for c in page["checks"]}
    assert set(looks) == {(1, "source"), (1, "released"), (2, "source"), (2, "released")}
    found = {s["axis"]: (s["percent"], s["state"]) for s in looks[1, "source"]["scores"]}
    assert found["accurate"][1] == "failed"
    assert found["complete"] == (100, "met")
    assert found["clean"] == (None, "none")
    assert {s["axis"]: s["state"] for s in looks[2, "source"]["scores"]}["accurate"] == "met"
    assert looks[2, "source"]["judge"] == "own"
    assert {d["psi_micro"] for d in looks[2, "released"]["drift"]} == {0}
    assert {d["name"] for d in looks[2, "released"]["drift"]} == {"tinh", "hang", "loi"}
    told = [row.body for row in await database.all(EVENTS, {"dataset": dataset})]
    assert [t["room"] for t in told] == ["source", "released", "source", "released"]
    assert "Huế" not in json.dumps(told, ensure_ascii=False)


async def test_without_a_suite_the_catalogue_is_narrowed_by_what_was_counted_in_what_was_released(
    client_for: ClientFor, press: Press, shop: Shop, database: Database
) -> None:
    file = shop.file()
    files = {"manifest": ("m.yaml", shop.manifest()), "file": (file.name, file.read_bytes())}
    async with client_for(*handlers, store=press.store, keys=press.keys, engine=press.engine) as client:
        made = await client.post("/api/v1/datasets", token=shop.owner.token, files=files)
        assert made.status_code == 201, made.text
        assert await bands(client, shop) == []
        while await look_at_released(database, press.store, press.config, asyncio.Event(), at=utcnow()):
            pass
        assert await bands(client, shop) == ["high"]


async def test_a_version_that_is_replaced_while_it_waits_for_its_look_gets_none(
    client_for: ClientFor, press: Press, shop: Shop, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who withdraws from then on leaves the new version only."""
    file = shop.file()
    files = {"manifest": ("m.yaml", shop.manifest()), "file": (file.name, file.read_bytes())}
    looks = partial(look_at_released, database, press.store, press.config, asyncio.Event())
    async with client_for(
        *handlers, *api.handlers, store=press.store, keys=press.keys, engine=press.engine
    ) as client:
        made = await client.post("/api/v1/datasets", token=shop.owner.token, files=files)
        path, first = f"/api/v1/datasets/{made.json()['dataset_id']}", made.json()["version_id"]
        readable = released._readable

        async def replaced_meanwhile(database: Database, store: Store, version_id: str) -> Any:
            if version_id == first:
                more = files | {"file": (file.name, shop.file(500).read_bytes())}
                again = await client.post(f"{path}/versions", token=shop.owner.token, files=more)
                assert again.status_code == 201, again.text
            return await readable(database, store, version_id)

        monkeypatch.setattr(released, "_readable", replaced_meanwhile)
        await looks(at=utcnow())
        while await looks(at=utcnow()):
            pass
        page = (await client.get(f"{path}/quality", token=shop.owner.token)).json()
    assert [c["number"] for c in page["checks"] if c["room"] == "released"] == [2]


async def bands(client: Any, shop: Shop) -> list[str]:
    """What the catalogue's facet of quality tells of the shop's datasets."""
    listed = (await client.get(f"/api/v1/datasets?owner={shop.owner.organisation.slug}")).json()
    return [each["value"] for facet in listed["facets"] if facet["name"] == "quality" for each in facet["values"]]
