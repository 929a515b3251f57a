"""A floor under a version's scores: the owner's in its manifest, the exchange's in the dated policy."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from catalog.quality import gate
from marketplace.db.engine import Database
from marketplace.listings.api import handlers
from marketplace.listings.press import Press
from marketplace.texts import told
from tests.conftest import ClientFor
from tests.marketplace.listings.conftest import Shop
from tests.marketplace.quality.test_publishing import sent, suite

REFUSED = text("select body from event where name = 'listing:deny' order by id")


def with_floor(shop: Shop, floor: str, suite_text: str | None) -> dict[str, Any]:
    files = sent(shop, suite_text or "")["files"]
    files["manifest"] = ("m.yaml", f"{shop.manifest()}\nquality: {floor}\n")
    return {"files": files if suite_text is not None else {k: v for k, v in files.items() if k != "suite"}}


async def test_a_version_below_its_owners_floor_or_unmeasured_is_not_listed_and_is_told_which_axis(
    client_for: ClientFor, press: Press, shop: Shop, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "expectations_binds", lambda: None)
    token = shop.owner.token
    poor, high = suite(most=0), "{accurate_permille: 990, clean_permille: 500}"
    async with client_for(*handlers, store=press.store, keys=press.keys, engine=press.engine) as client:
        unmeasured = await client.post("/api/v1/datasets", token=token, **with_floor(shop, high, None))
        below = await client.post("/api/v1/datasets", token=token, **with_floor(shop, high, poor))
        unknown = await client.post("/api/v1/datasets", token=token, **with_floor(shop, "{accurate: 5}", poor))
        low = await client.post(
            "/api/v1/datasets", token=token, **with_floor(shop, "{accurate_permille: 1}", poor)
        )
        none = await client.get(f"/api/v1/datasets?owner={shop.owner.organisation.slug}")
    assert low.status_code == 201, low.text
    assert unknown.json()["code"] == "listing.manifest_wrong"
    assert (unmeasured.status_code, below.status_code) == (403, 403)
    assert [(r["code"], r["params"]["axis"]) for r in unmeasured.json()["reasons"]] == [
        ("quality.not_measured", "accurate"), ("quality.not_measured", "clean"),
    ]  # fmt: skip
    short, missing = below.json()["reasons"]
    assert short["code"] == "quality.below_floor"
    assert short["params"]["permille"] < short["params"]["floor"] == 990
    assert short["params"]["whose"] == "owner"
    assert missing["params"] == {"axis": "clean", "floor": 500, "whose": "owner"}
    said = told(missing["code"], missing["params"], "vi")
    assert said.what == "Điểm “sạch” chưa được đo; mức do chủ dữ liệu đặt là 500 trên 1.000."
    assert len(none.json()["items"]) == 1
