"""An owner takes a version back while it is asked: what runs is free; stored answers stay unless they may not."""

from __future__ import annotations

from pathlib import Path

from tests.faults.test_underneath import SLOW_SQL, Asking, _running
from tests.market import Market
from tests.pay import both, pay_files

SQL = "select education, count(*) as n from pay group by education"


def test_a_version_taken_back_voids_what_runs_and_bars_answers_only_for_a_reason_that_does(
    alive: Market, tmp_path: Path
) -> None:
    kept = _answered(alive)
    before = alive.balance()["available_vnd"]
    asking = Asking(alive, f"{SLOW_SQL} cross join (select count(*) as persons from pay) p", **both(alive))
    _running(alive)
    _take_back(alive, "quality")
    query = asking.result()
    assert (query["state"], query["charged_vnd"]) == ("failed", 0)
    assert (query["failure"]["code"], query["failure"]["params"]) == (
        "query.version_withdrawn",
        {"dataset": "pay"},
    )
    wallet = alive.balance()
    assert (wallet["available_vnd"], wallet["held_vnd"]) == (before, 0)
    assert alive.reconciled()
    asked = alive.client("startup").post("/api/v1/queries", alive.ask(SQL, slug="pay"))
    assert (asked.status, asked.json()["code"]) == (409, "query.nothing_listed")
    page = alive.client("startup").get(f"/api/v1/agreements/{alive.agreements['pay']}").json()
    assert page["state"] == "in_force"

    _publish_next(alive, tmp_path)
    barred = _answered(alive)
    _take_back(alive, "privacy")
    gone = alive.client("startup").get(f"/api/v1/queries/{barred}/result")
    assert (gone.status, gone.json()["params"]) == (410, {"cause": "version_withdrawn"})
    assert alive.client("startup").get(f"/api/v1/queries/{kept}/result").ok
    _publish_next(alive, tmp_path)
    assert _answered(alive)


def _answered(market: Market) -> str:
    """Id of a query about pay whose answer can be fetched."""
    answer = market.client("startup").post("/api/v1/queries", market.ask(SQL, slug="pay"))
    assert answer.status == 201, answer.body
    query = str(answer.json()["id"])
    assert market.client("startup").get(f"/api/v1/queries/{query}/result").ok
    return query


def _take_back(market: Market, reason: str) -> None:
    version = market.client(None).get("/api/v1/datasets/pay").json()["version"]["id"]
    body = {"version_id": version, "reason": reason, "note": "Thu hồi để kiểm thử."}
    taken = market.client("rival_owner").post("/api/v1/datasets/pay/withdrawal", body)
    assert taken.status == 201, taken.body


def _publish_next(market: Market, folder: Path) -> None:
    manifest, file = pay_files(folder)
    made = market.client("rival_owner").upload("/api/v1/datasets/pay/versions", manifest=manifest, file=file)
    assert made.status == 201, made.body
