"""A suite that comes with a file for review is judged, and its verdicts are kept with the version."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from sqlalchemy import text

from catalog.quality import gate
from marketplace.publications.files import SUITE, folder_of
from marketplace.publications.ground import subject_of_row
from marketplace.publications.jobs import work_once
from marketplace.publications.models import PublicationRow
from tests.marketplace.publications.conftest import Desk
from tests.marketplace.quality.test_publishing import suite

KEPT = text("select room, verdicts, scores from quality_check where version_id = :version order by id")
SENT = text("select body from event where name = 'publication:send' and body ->> 'publication' = :id")
TOLD = text("select body from event where name = 'quality:check' and version_id = :version order by id")


async def test_its_verdicts_are_kept_at_release_though_another_process_judged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "expectations_binds", lambda: None)
    wrong = await desk.send(suite=suite(most=4).replace("tinh", "so"))
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "quality.unknown_column"), wrong.text
    sent = await desk.send(suite=suite(most=4), headers={"Idempotency-Key": "s"})
    publication = sent.json()["id"]
    digest = hashlib.sha256(suite(most=4).encode()).hexdigest()
    (told,) = await desk.press.database.all(SENT, {"id": publication})
    assert told.body["suite_sha256"] == digest
    other = await desk.send(suite=suite(most=5), headers={"Idempotency-Key": "s"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.key_reused"), other.text
    await work_once(desk.press)
    view = await desk.read(publication)
    record = next(each["record"] for each in view["each_stage"] if each["record"]["stage"] == "quality")
    figures = {f["name"]: f["value"] for f in record["figures"]}
    assert (view["state"], figures["expectations"], figures["expectations_failed"]) == ("checking", 2, 1)
    assert figures["quality_complete"] == 1.0
    for who, verb in (("steward", "submit"), ("approver", "approve")):
        assert (await desk.step(publication, who, verb)).status_code == 200
    async with desk.press.database.session() as session:
        row = await session.get_one(PublicationRow, UUID(publication))
        assert subject_of_row(row) == row.approved
        row.suite_sha256 = hashlib.sha256(suite(most=5).encode()).hexdigest()
        assert subject_of_row(row) != row.approved, "another suite is not what was approved"
        session.expunge(row)
    await work_once(desk.press)  # a pipeline of its own, that finds the stage finished
    view = await desk.read(publication)
    assert view["state"] == "listed", view["problem"]
    (kept,) = await desk.press.database.all(KEPT, {"version": view["version_id"]})
    assert (kept.room, [verdict["outcome"] for verdict in kept.verdicts]) == ("source", ["met", "failed"])
    (told,) = await desk.press.database.all(TOLD, {"version": view["version_id"]})
    assert told.body["scores"] == kept.scores


async def test_what_is_critical_stops_it_and_a_lost_suite_is_not_no_suite(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "expectations_binds", lambda: None)
    publication = (await desk.send(suite=suite(most=4, critical=True))).json()["id"]
    await work_once(desk.press)
    view = await desk.read(publication)
    stopped = next(each["record"] for each in view["each_stage"] if each["record"]["state"] == "stopped")
    assert (stopped["stage"], stopped["findings"][0]["code"]) == ("quality", "quality.critical")
    (folder_of(desk.press.store, UUID(publication)) / SUITE).unlink()
    assert (await desk.step(publication, "steward", "retry")).json()["state"] == "making"
    await work_once(desk.press)
    view = await desk.read(publication)
    assert (view["state"], view["problem"]["code"]) == ("stopped", "publication.file_gone")
