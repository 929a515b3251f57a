"""Publishing and reading over HTTP: who may, what comes back, what a wrong manifest is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.listings.openapi import PublicationBody
from tests.marketplace.api import Client
from tests.marketplace.listings.conftest import Shop
from tests.marketplace.parties import Make


def _body(manifest: str, file: Path) -> dict[str, Any]:
    return {"files": {"manifest": ("manifest.yaml", manifest), "file": (file.name, file.read_bytes())}}


async def test_publish_then_a_second_version_each_by_the_right_person_only(
    client: Client, database: Database, shop: Shop, make: Make
) -> None:
    rival, startup = await make.party(database, kind="owner"), await make.party(database)
    async with database.session() as session:
        approver = await make.person(session, shop.owner.organisation, roles=["approver"])
        approver_token = await make.token(session, approver)
        narrow_token = await make.token(session, shop.owner.person, scopes=("read",))
    body = _body(shop.manifest(), shop.file())
    new = "/api/v1/datasets"
    assert (await client.post(new, **body)).status_code == 401
    assert (await client.post(new, token=rival.token, **body)).json()["code"] == "listing.not_your_organisation"
    for wrong in (startup.token, approver_token, narrow_token):
        assert (await client.post(new, token=wrong, **body)).status_code == 403
    made = await client.post(new, token=shop.owner.token, **body)
    assert made.status_code == 201, made.text
    assert made.json()["slug"] == shop.slug

    versions = f"{new}/{made.json()['dataset_id']}/versions"
    assert (await client.post(versions, **body)).status_code == 401
    assert (await client.post(versions, token=rival.token, **body)).status_code == 404
    for wrong in (startup.token, approver_token, narrow_token):
        assert (await client.post(versions, token=wrong, **body)).status_code == 403
    again = await client.post(versions, token=shop.owner.token, **body)
    assert (again.status_code, again.json()["number"]) == (201, 2)
    taken = await client.post(new, token=shop.owner.token, **body)
    assert (taken.status_code, taken.json()["code"]) == (409, "listing.slug_taken")

    page = (await client.get(f"{new}/{shop.slug}")).json()
    assert page["id"] == made.json()["dataset_id"]
    assert [v["number"] for v in page["versions"]] == [2, 1]
    assert page["sample"]["synthetic"]
    assert page["sample"]["rows"]
    assert (page["version"]["state_class"], page["version"]["personal_class"]) == ("internal", "basic")
    assert {c["name"] for c in page["columns"]} == {"tinh", "hang", "loi"}, "no identifier, no consent column"
    offered = await client.get(f"{new}/{shop.slug}/odrl")
    assert offered.headers["Content-Type"] == "application/ld+json"
    assert (offered.json()["@type"], offered.json()["permission"][0]["constraint"][0]["rightOperand"]) == (
        "Offer",
        ["urn:sandulieu:purpose:research.academic", "urn:sandulieu:purpose:public.service"],
    )
    assert (await client.get(f"{new}/{shop.slug}x/odrl")).status_code == 404
    found = (await client.get(f"{new}?q=giay phep {shop.slug}")).json()
    assert found["items"][0]["slug"] == shop.slug
    assert (await client.get(f"{new}/{shop.slug}x")).status_code == 404


async def test_a_wrong_manifest_is_told_with_places_and_words(client: Client, shop: Shop) -> None:
    text = shop.manifest().replace("k: 5", "k: 1").replace("source: tests\n", "")
    answer = await client.post("/api/v1/datasets", token=shop.owner.token, **_body(text, shop.file(5)))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "listing.manifest_wrong")
    assert len(problem["errors"]) == 2
    for error in problem["errors"]:
        assert error["line"] >= 1
        assert error["column"] >= 1
        assert error["message"]["what"]
        assert "text.missing" not in error["code"]


async def test_a_refused_file_says_why_in_its_code(client: Client, shop: Shop) -> None:
    file = shop.file(5)
    file.write_text("so,tinh\nP1,Huế\n", encoding="utf-8")
    answer = await client.post("/api/v1/datasets", token=shop.owner.token, **_body(shop.manifest(), file))
    assert (answer.status_code, answer.json()["code"]) == (422, "ingest.columns_absent")


@pytest.mark.parametrize("path", ["/api/v1/datasets", "/api/v1/datasets?q=d%C3%A2n+s%E1%BB%91"])
async def test_anybody_reads_the_catalogue(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert {"items", "next", "facets", "found"} <= set(answer.json())


async def test_a_suspended_owner_publishes_nothing(client: Client, database: Database, shop: Shop) -> None:
    async with database.session() as session:
        owner = await session.merge(shop.owner.organisation)
        owner.suspended_at = utcnow()
    answer = await client.post("/api/v1/datasets", token=shop.owner.token, **_body(shop.manifest(), shop.file()))
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["decision"]["allow"]) == (403, "listing.denied", False)
    assert [reason["code"] for reason in problem["reasons"]] == ["organisation.suspended"]


def test_openapi_tells_the_two_parts_of_a_publication() -> None:
    body = PublicationBody(request_body=None).to_schema()["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert (body["required"], schema["required"], set(schema["properties"])) == (
        True, ["manifest", "file"], {"manifest", "file", "overrides", "suite"},
    )  # fmt: skip


async def test_who_waits_is_told_to_the_owner_and_to_nobody_else(
    client: Client, database: Database, shop: Shop, make: Make
) -> None:
    rival, startup = await make.party(database, kind="owner"), await make.party(database)
    new = "/api/v1/datasets"
    made = await client.post(new, token=shop.owner.token, **_body(shop.manifest(), shop.file(400)))
    assert made.json()["waiting"] == []
    again = await client.post(
        f"{new}/{shop.slug}/versions", token=shop.owner.token, **_body(shop.manifest(), shop.file(399))
    )
    (told,) = again.json()["waiting"]
    assert (told["reason"], told["cohorts"]) == ("left", 1)
    assert 4 <= told["persons"] <= 8

    address = f"{new}/{shop.slug}/waiting"
    assert (await client.get(address)).status_code == 401
    assert (await client.get(address, token=startup.token)).status_code == 403
    assert (await client.get(address, token=rival.token)).status_code == 404
    mine = await client.get(address, token=shop.owner.token)
    assert (mine.json()["number"], mine.json()["waiting"]) == (2, [told])
    page = (await client.get(f"{new}/{shop.slug}", token=startup.token)).json()
    assert "waiting" not in str(page)
    assert page["version"]["left_out"] == {"persons": 6, "classes": 0, "share": 0.02}, "in whole percents only"
