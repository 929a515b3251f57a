"""The real process is killed in a publication: whoever comes next goes on after the last finished stage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from marketplace.cli.demo_parties import Actor, House, prepare_parties
from marketplace.config import Config
from marketplace.publications.tasks import CHECKLISTS
from tests.market import Market
from tests.pay import pay_files


def _until(true: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_service_killed_in_a_publication_goes_on_after_the_last_finished_stage(
    alive: Market, tmp_path: Path
) -> None:
    alive.stop()
    alive.start(SANDULIEU_FAULT="publication-anonymise")
    manifest, file = pay_files(tmp_path)
    listed = alive.client(None).get("/api/v1/datasets/pay").json()["version"]["id"]
    sent = alive.client("rival_owner").upload("/api/v1/publications", manifest=manifest, file=file)
    assert sent.status == 202, sent.body
    publication = sent.json()["id"]
    assert alive.died(60), "the fault point was not reached"
    folder = alive.home / "store" / "publications" / publication
    assert (folder / "anonymise.json").exists(), "it had finished, and nobody had been told"
    assert not (folder / "measure.json").exists()
    alive.start()

    def read() -> dict[str, Any]:
        view: dict[str, Any] = alive.client("rival_owner").get(f"/api/v1/publications/{publication}").json()
        return view

    _until(lambda: read()["state"] != "making")
    view = read()
    assert view["state"] == "checking", view
    stages = {each["record"]["stage"]: each for each in view["each_stage"]}
    resumed = [stages[stage]["record"]["resumed"] for stage in ("ingest", "anonymise", "measure")]
    assert resumed == [True, True, False]
    assert stages["anonymise"]["attempts"] == 2
    assert alive.client(None).get("/api/v1/datasets/pay").json()["version"]["id"] == listed
    step = alive.client("rival_owner").post(f"/api/v1/publications/{publication}/steps", {"verb": "cancel"})
    assert step.ok, step.body
    _until(lambda: not folder.exists())
    assert alive.client(None).get("/api/v1/datasets/pay").json()["version"]["id"] == listed


SECOND = House("owner", "Rival owner", "rival-owner", (Actor("second", "p@test.example", "P", ("approver",)),))


def test_a_service_killed_when_the_files_lie_in_the_store_lists_the_version_once(
    alive: Market, tmp_path: Path
) -> None:
    alive.stop()
    alive.parties.tokens.update(asyncio.run(prepare_parties(Config(home=alive.home), cast=(SECOND,))).tokens)
    alive.start(SANDULIEU_FAULT="publication-placed")
    manifest, file = pay_files(tmp_path)
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace("slug: pay\n", "slug: placed\n"), encoding="utf-8"
    )
    versions = alive.home / "store" / "versions"
    before = {folder.name for folder in versions.iterdir()}
    owner = alive.client("rival_owner")
    publication = owner.upload("/api/v1/publications", manifest=manifest, file=file).json()["id"]
    path = f"/api/v1/publications/{publication}"

    def state() -> str:
        return str(alive.client("rival_owner").get(path).json()["state"])

    _until(lambda: state() != "making")
    version = owner.get(path).json()["version_id"]
    for who, verb, due in (("rival_owner", "submit", "checking"), ("second", "approve", "approving")):
        step = alive.client(who).post(
            f"{path}/steps", {"verb": verb, "reason": "Vì thế.", "checklist": CHECKLISTS[due]}
        )
        assert step.ok, step.body
    assert alive.died(60), "the fault point was not reached"
    assert {folder.name for folder in versions.iterdir()} - before == {version}, (
        "they lie there, and no row names them"
    )
    alive.start()
    _until(lambda: state() != "listing")
    assert state() == "listed", owner.get(path).json()["problem"]
    page = alive.client(None).get("/api/v1/datasets/placed").json()
    assert page["version"]["number"] == 1
    listed = page["version"]["id"]
    assert owner.get(path).json()["version_id"] == listed
    # The hour of its making is in its name, and it is made anew: all else is what two people approved. What lies
    # there of the first is `sweep_versions`' a day later (tests/marketplace/listings).
    approved, found = (
        msgspec.json.decode((versions / each / "version.json").read_bytes()) for each in (version, listed)
    )
    anew = {"id", "created_at_ms"}
    assert {k: v for k, v in approved.items() if k not in anew} == {
        k: v for k, v in found.items() if k not in anew
    }
    told = (
        alive.client("regulator").get(f"/api/v1/audit/events?name=dataset:publish&dataset_id={page['id']}").json()
    )
    assert [each["version_id"] for each in told["items"]] == [listed]
    assert alive.reconciled()
