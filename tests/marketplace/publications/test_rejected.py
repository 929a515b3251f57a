"""Its steward and its approver learn which rows could not be read, and nobody else does."""

from __future__ import annotations

import csv

from catalog.manifest import read_manifest
from marketplace.publications.jobs import work_once
from tests.marketplace.publications.conftest import Desk

WHOLE = "file,row,column,reason"


async def test_the_list_of_rejected_rows_is_for_the_owners_people_from_review_until_after_release(
    desk: Desk,
) -> None:
    file, manifest = desk.shop.file(400), desk.shop.manifest() + "reading: {max_rejected_share: 0.01}\n"
    lines = file.read_text(encoding="utf-8").splitlines()
    cells = lines[7].split(",")
    lines[7] = ",".join([*cells[:3], "SECRET", *cells[4:]])
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = {"manifest": ("m.yaml", manifest), "file": (file.name, file.read_bytes())}
    sent = await desk.client.post("/api/v1/publications", token=desk.tokens["steward"], files=files)
    path = f"/api/v1/publications/{sent.json()['id']}/rejected"
    assert (await desk.client.get(path, token=desk.tokens["steward"])).status_code == 404
    await work_once(desk.press)
    view = await desk.read(sent.json()["id"])
    assert view["state"] == "checking", (view["problem"], view["each_stage"])
    await _only_owners_people(desk, path)
    await _schemes_are_for_its_steward(desk, sent.json()["id"])
    for who, verb in (("steward", "submit"), ("approver", "approve")):
        assert (await desk.step(sent.json()["id"], who, verb)).status_code == 200
    await work_once(desk.press)
    await work_once(desk.press)  # its own folder is gone
    for each in (path, f"/api/v1/datasets/{desk.shop.slug}/rejected"):
        await _only_owners_people(desk, each)


async def _only_owners_people(desk: Desk, path: str) -> None:
    for who, status in (("anonymous", 401), ("startup", 404), ("rival", 404), ("operator", 404)):
        assert (await desk.client.get(path, token=desk.tokens.get(who))).status_code == status, (who, path)
    for who in ("steward", "approver"):
        answer = await desk.client.get(path, token=desk.tokens[who])
        assert answer.status_code == 200, (who, answer.text)
        header, row = csv.reader(answer.text.splitlines())
        assert (",".join(header), row[:3]) == (WHOLE, ["1", "8", "loi"]), answer.text
        assert "SECRET" not in answer.text


async def _schemes_are_for_its_steward(desk: Desk, publication: str) -> None:
    path = f"/api/v1/publications/{publication}/schemes"
    for who, status in (
        ("anonymous", 401),
        ("startup", 403),
        ("rival", 404),
        ("operator", 403),
        ("approver", 403),
    ):
        assert (await desk.client.post(path, token=desk.tokens.get(who))).status_code == status, who
    found = (await desk.client.post(path, token=desk.tokens["steward"])).json()
    losses = [each["loss"] for each in found["items"]]
    assert losses == sorted(losses)
    assert found["evaluated"] >= len(losses) > 0
    assert all(read_manifest(each["manifest"]).k <= each["k"] for each in found["items"])
