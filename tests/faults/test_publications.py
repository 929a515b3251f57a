"""The real process is killed in a publication: whoever comes next goes on after the last finished stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
