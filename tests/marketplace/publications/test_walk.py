"""From a file to the list by real stages and two people; until then nobody else learns that it exists."""

from __future__ import annotations

import errno
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from catalog.pipeline import stages
from catalog.pipeline.run import RUN_STAGES
from marketplace.audit.models import Event
from marketplace.db.base import utcnow
from marketplace.listings.models import Dataset
from marketplace.listings.publish import alone
from marketplace.publications.files import folder_of
from marketplace.publications.jobs import work_once
from marketplace.publications.models import PublicationRow
from marketplace.publications.reads import taken_back
from marketplace.publications.reminding import remind
from marketplace.publications.stages import locked, step
from marketplace.search.models import ListingSearch
from tests.marketplace.publications.conftest import Desk


async def _names(desk: Desk) -> list[str]:
    async with desk.press.database.reading() as session:
        mine = Event.actor_organisation_id == desk.shop.owner.organisation.id
        return list(await session.scalars(select(Event.name).where(mine).order_by(Event.id)))


async def test_a_file_is_made_reviewed_by_two_and_listed(desk: Desk) -> None:
    for who, status in (("anonymous", 401), ("startup", 403), ("operator", 403), ("approver", 403)):
        assert (await desk.send(who)).status_code == status
    sent = await desk.send(headers={"Idempotency-Key": "once"})
    assert sent.status_code == 202, sent.text
    publication, slug = sent.json()["id"], desk.shop.slug
    assert (await desk.send(headers={"Idempotency-Key": "once"})).json()["id"] == publication
    assert (await desk.send()).json()["code"] == "publication.open"
    await work_once(desk.press)

    view = await desk.read(publication)
    assert view["state"] == "checking", view["problem"] or view["each_stage"]
    records = [each["record"] for each in view["each_stage"]]
    assert [(r["stage"], r["state"]) for r in records] == [(stage, "passed") for stage in RUN_STAGES]
    assert all(len(r["input_sha256"]) == len(r["output_sha256"]) == 64 for r in records)
    figures = {f["name"]: f["value"] for r in records for f in r["figures"]}
    assert (figures["rows_read"], figures["persons"], figures["k"]) == (400, 300, 5)
    folder = folder_of(desk.press.store, UUID(publication))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(b"P00001" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())

    await _nobody_else_sees(desk, publication, view["version_id"])
    assert (await desk.step(publication, "steward", "submit")).json()["state"] == "approving"
    assert (await desk.step(publication, "approver", "approve")).json()["state"] == "listing"
    await work_once(desk.press)
    view = await desk.read(publication)
    assert view["state"] == "listed", view["problem"]
    page = (await desk.client.get(f"/api/v1/datasets/{slug}")).json()
    assert page["version"]["id"] == view["version_id"]
    await work_once(desk.press)
    assert not folder.exists()
    assert await _names(desk) == [
        "publication:send", "dataset:refuse", "publication:submit", "publication:approve", "offer:make",
        "dataset:publish",
    ]  # fmt: skip


async def _nobody_else_sees(desk: Desk, publication: str, version_id: str) -> None:
    slug = desk.shop.slug
    paths = [f"/api/v1/datasets/{slug}{end}" for end in ("", "/odrl", "/waiting")]
    for who in ("startup", "rival", "operator", "steward"):
        for path in paths:
            assert (await desk.client.get(path, token=desk.tokens[who])).status_code in (403, 404), (who, path)
        for path in (f"/api/v1/datasets?q={slug}", "/api/v1/publications"):
            answer = await desk.client.get(path, token=desk.tokens[who])
            assert who == "steward" or (slug not in answer.text and version_id not in answer.text), (who, path)
    for who in ("startup", "rival", "operator"):
        path = f"/api/v1/publications/{publication}"
        assert (await desk.client.get(path, token=desk.tokens[who])).status_code == 404
    async with desk.press.database.reading() as session:
        assert await session.scalar(select(Dataset.id).where(Dataset.slug == slug)) is None
    assert not desk.press.store.public(version_id).exists()


async def test_what_is_not_fit_stops_and_a_full_disk_fails_and_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = (await desk.send(persons=3)).json()["id"]
    await work_once(desk.press)
    view = await desk.read(short)
    assert view["state"] == "stopped"
    finding = next(r["findings"][0] for r in map(_record, view["each_stage"]) if r["state"] == "stopped")
    answer = await desk.step(short, "steward", "override", findings=[{"code": finding["code"], "key": ""}])
    assert answer.json()["code"] == "publication.not_overridable"
    assert (await desk.step(short, "steward", "cancel")).json()["state"] == "cancelled"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    publication = (await desk.send()).json()["id"]
    with monkeypatch.context() as patch:
        patch.setitem(stages.RUNS, "bound", full)
        await work_once(desk.press)
    view = await desk.read(publication)
    stopped = next(_record(each) for each in view["each_stage"] if each["record"]["state"] == "failed")
    assert (view["state"], stopped["stage"]) == ("failed", "bound")
    assert stopped["findings"][0]["code"] == "publication.disk_full"
    assert (await desk.step(publication, "steward", "retry")).json()["state"] == "making"
    async with alone(desk.press.database, desk.shop.slug):
        await work_once(desk.press)
        assert (await desk.read(publication))["state"] == "making", "somebody else publishes it: this one waits"
    await work_once(desk.press)
    view = await desk.read(publication)
    assert view["state"] == "checking"
    assert [_record(each)["resumed"] for each in view["each_stage"][:2]] == [True, True]


async def test_personal_data_stops_it_until_a_person_answers_with_a_reason_that_is_logged(desk: Desk) -> None:
    """The province's column holds phone numbers here, as a free text would."""
    file = desk.shop.file(400)
    lines = file.read_text(encoding="utf-8").splitlines()
    told = [
        lines[0],
        *(line.replace("Huế", "gọi 0912345678").replace("Hà Nội", "gọi 0987654321") for line in lines[1:]),
    ]
    file.write_text("\n".join(told) + "\n", encoding="utf-8")
    files = {"manifest": ("m.yaml", desk.shop.manifest()), "file": (file.name, file.read_bytes())}
    sent = await desk.client.post("/api/v1/publications", token=desk.tokens["steward"], files=files)
    publication = sent.json()["id"]
    await work_once(desk.press)
    view = await desk.read(publication)
    assert view["state"] == "stopped", view["problem"]
    record = next(_record(each) for each in view["each_stage"] if each["record"]["state"] == "stopped")
    assert record["stage"] == "detect"
    assert "0912345678" not in str(view["each_stage"])
    found = [{"code": each["code"], "key": each["key"]} for each in record["findings"]]
    short = await desk.step(publication, "steward", "override", findings=found, reason="vì thế")
    assert (short.status_code, short.json()["errors"][0]["code"]) == (400, "publication.reason")
    reason = "Số tổng đài công khai của tỉnh, không phải của ai."
    answered = await desk.step(publication, "steward", "override", findings=found, reason=reason)
    assert answered.json()["state"] == "making"
    await work_once(desk.press)
    view = await desk.read(publication)
    assert view["state"] == "checking", (view["problem"], view["each_stage"])
    for who, verb in (("steward", "submit"), ("approver", "approve")):
        assert (await desk.step(publication, who, verb)).status_code == 200
    await work_once(desk.press)
    assert (await desk.read(publication))["state"] == "listed"
    names = await _names(desk)
    assert names.count("publication:override") == 1
    assert "dataset:override" in {*names, *(await _by(desk, "steward"))}


async def _by(desk: Desk, who: str) -> list[str]:
    async with desk.press.database.reading() as session:
        mine = Event.actor_person_id == desk.people[who]
        return list(await session.scalars(select(Event.name).where(mine)))


def _record(stage: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stage["record"]
    return found


async def test_another_version_meanwhile_is_followed_and_the_listed_one_untouched_until_then(desk: Desk) -> None:
    publication = (await desk.send(persons=420)).json()["id"]
    await work_once(desk.press)
    for who, verb in (("steward", "submit"), ("approver", "approve")):
        assert (await desk.step(publication, who, verb)).status_code == 200
    file = desk.shop.file(400)
    files = {"manifest": ("m.yaml", desk.shop.manifest()), "file": (file.name, file.read_bytes())}
    direct = await desk.client.post("/api/v1/datasets", token=desk.tokens["both"], files=files)
    assert direct.status_code == 201, direct.text
    assert (await desk.client.get(f"/api/v1/datasets/{desk.shop.slug}")).json()["version"]["number"] == 1
    await work_once(desk.press)
    view = await desk.read(publication)
    page = (await desk.client.get(f"/api/v1/datasets/{desk.shop.slug}")).json()
    assert (view["state"], page["version"]["number"], page["version"]["id"]) == ("listed", 2, view["version_id"])
    other = desk.shop.manifest().replace(f"slug: {desk.shop.slug}", f"slug: {desk.shop.slug}_b")
    beside = (await desk.send(manifest=other)).json()["id"]
    await work_once(desk.press)
    measured = next(r for r in map(_record, (await desk.read(beside))["each_stage"]) if r["stage"] == "measure")
    (joined,) = measured["findings"]
    assert joined["code"] in ("publication.combination_narrow", "publication.combination_wide")
    assert (joined["key"], joined["params"]["columns"]) == (desk.shop.slug, "tinh, hang")
    assert {"class_sizes", "sensitive", "prosecutor_highest"} <= {f["name"] for f in measured["figures"]}
    assert desk.press.store.version(view["version_id"]).parent == direct.json()["version_id"]


async def test_the_direct_way_is_for_who_has_both_offices(desk: Desk) -> None:
    file = desk.shop.file(400)
    files = {"manifest": ("m.yaml", desk.shop.manifest()), "file": (file.name, file.read_bytes())}
    answer = await desk.client.post("/api/v1/datasets", token=desk.tokens["steward"], files=files)
    assert (answer.status_code, answer.json()["code"]) == (403, "listing.two_people")


async def test_a_version_taken_back_is_gone_until_the_next_one(desk: Desk) -> None:
    file = desk.shop.file(400)
    files = {"manifest": ("m.yaml", desk.shop.manifest()), "file": (file.name, file.read_bytes())}
    made = (await desk.client.post("/api/v1/datasets", token=desk.tokens["both"], files=files)).json()
    path = f"/api/v1/datasets/{desk.shop.slug}/withdrawal"
    body = {"version_id": made["version_id"], "reason": "quality", "note": "Cột hạng bị lệch một năm."}
    for who, status in (("anonymous", 401), ("startup", 403), ("operator", 403), ("steward", 403), ("rival", 404)):
        answer = await desk.client.post(path, token=desk.tokens.get(who), json=body)
        assert answer.status_code == status, (who, answer.text)
    other = await desk.client.post(path, token=desk.tokens["approver"], json={**body, "version_id": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "publication.not_listed")
    by_id = path.replace(desk.shop.slug, made["dataset_id"])
    assert (await desk.client.post(by_id, token=desk.tokens["rival"], json=body)).status_code == 404
    taken = await desk.client.post(by_id, token=desk.tokens["approver"], json=body)
    assert (taken.status_code, taken.json()["reason"]) == (201, "quality"), taken.text
    assert (await desk.client.get(f"/api/v1/datasets/{desk.shop.slug}")).status_code == 404
    async with desk.press.database.session() as session:
        left = select(func.count()).where(ListingSearch.listing_id == UUID(made["dataset_id"]))
        assert await session.scalar(left) == 0, "not even that it was there"
    seen = (await desk.client.get("/api/v1/withdrawals", token=desk.tokens["operator"])).json()["items"]
    assert (seen[0]["dataset"], seen[0]["credited"]) == (desk.shop.slug, False)
    assert (await desk.client.get("/api/v1/withdrawals", token=desk.tokens["rival"])).json() == {"items": []}
    async with desk.press.database.reading() as session:
        told = await taken_back(session, UUID(made["dataset_id"]))
    assert told is not None
    assert (told.number, told.reason, told.note, told.bars_answers) == (1, "quality", body["note"], False)
    publication = (await desk.send(persons=440)).json()["id"]
    await work_once(desk.press)
    assert (await desk.read(publication))["state"] == "checking"
    again = await desk.client.post(
        f"/api/v1/datasets/{made['dataset_id']}/versions", token=desk.tokens["both"], files=files
    )
    assert (again.status_code, again.json()["number"]) == (201, 2), again.text
    async with desk.press.database.reading() as session:
        assert await taken_back(session, UUID(made["dataset_id"])) is None


async def test_a_task_that_lies_is_told_once_and_again_when_it_is_anothers(desk: Desk) -> None:
    checking, reviewing = await desk.put("checking"), await desk.put("reviewing")
    await desk.put("listed")
    async with desk.press.database.session() as session:
        assert await remind(session, at=utcnow()) == 0, "nothing is late yet"
    later = utcnow() + timedelta(days=60)
    async with desk.press.database.session() as session:
        assert await remind(session, at=later) >= 2
    async with desk.press.database.session() as session:
        assert await remind(session, at=later) == 0
        row = await locked(session, UUID(checking))
        step(row, "submit")
    async with desk.press.database.session() as session:
        assert await remind(session, at=later) == 1
    async with desk.press.database.reading() as session:
        told = (await session.scalars(select(Event).where(Event.name == "publication:overdue"))).all()
    mine = [each for each in told if each.body["publication"] in (checking, reviewing)]
    assert sorted(each.body["state"] for each in mine) == ["approving", "checking", "reviewing"]
    async with desk.press.database.session() as session:
        rows = update(PublicationRow).where(PublicationRow.id.in_((UUID(checking), UUID(reviewing))))
        await session.execute(rows.values(state="cancelled"))
