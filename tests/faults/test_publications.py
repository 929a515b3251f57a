"""The real process is killed in a publication: whoever comes next goes on after the last finished stage."""

from __future__ import annotations

import time
from typing import Any

from tests.market import EXAMPLES, Market


def _reached(market: Market, publication: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while True:
        view: dict[str, Any] = market.client("owner").get(f"/api/v1/publications/{publication}").json()
        if view["state"] != "making":
            return view
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_service_killed_in_a_publication_goes_on_after_the_last_finished_stage(alive: Market) -> None:
    alive.stop()
    alive.start(SANDULIEU_FAULT="publication-anonymise")
    files = {"manifest": EXAMPLES / "adult" / "manifest.yaml", "file": EXAMPLES / "adult" / "adult.csv.gz"}
    listed = alive.client(None).get("/api/v1/datasets/adult").json()["version"]["id"]
    sent = alive.client("owner").upload("/api/v1/publications", **files)
    assert sent.status == 202, sent.body
    publication = sent.json()["id"]
    assert alive.died(), "the fault point was not reached"
    folder = alive.home / "store" / "publications" / publication
    assert (folder / "anonymise.json").exists(), "it had finished, and nobody had been told"
    alive.start()
    view = _reached(alive, publication)
    assert view["state"] == "checking", view
    records = {each["record"]["stage"]: each for each in view["each_stage"]}
    assert [records[stage]["record"]["resumed"] for stage in ("ingest", "anonymise", "measure")] == [
        True,
        True,
        False,
    ]
    assert records["anonymise"]["attempts"] == 2
    assert alive.client(None).get("/api/v1/datasets/adult").json()["version"]["id"] == listed
    step = alive.client("owner").post(f"/api/v1/publications/{publication}/steps", {"verb": "cancel"})
    assert step.ok, step.body
    until = time.monotonic() + 20
    while folder.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
