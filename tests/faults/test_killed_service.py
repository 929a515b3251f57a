"""The real process is killed by SIGKILL at a named point, started again, and the books are compared."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from marketplace.cli.client import Unreachable
from tests.faults.test_underneath import SLOW_SQL
from tests.market import Market
from tests.marketplace.own.test_turns import begun
from tests.pay import JOINED_SQL, both


def _ask_and_die(market: Market, key: str, body: dict[str, Any]) -> None:
    try:
        market.client("startup").post("/api/v1/queries", body, idempotency_key=key)
    except Unreachable:
        return


@pytest.mark.parametrize(("point", "datasets"), [("after-hold", 2), ("before-settle", 1), ("after-settle", 2)])
def test_a_service_killed_between_hold_and_settle_leaves_money_usage_and_log_in_agreement(
    alive: Market, point: str, datasets: int
) -> None:
    body = alive.ask() if datasets == 1 else alive.ask(JOINED_SQL) | both(alive)
    alive.stop()
    alive.start(SANDULIEU_FAULT=point)
    before = alive.balance()["available_vnd"]
    asked = threading.Thread(target=_ask_and_die, args=(alive, f"killed {point} {datasets}", body))
    asked.start()
    assert alive.died(), "the fault point was not reached"
    asked.join()
    alive.start()
    query = _newest(alive)
    charged = query["charged_vnd"]
    assert query["state"] == ("ready" if point == "after-settle" else "failed")
    assert (charged > 0) == (point == "after-settle")
    wallet = alive.balance()
    assert wallet["held_vnd"] == 0
    assert wallet["available_vnd"] == before - charged
    assert alive.reconciled()
    told = "query:settle" if point == "after-settle" else "query:void"
    events = (
        alive.client("startup").get(f"/api/v1/audit/events?query_id={query['id']}&name={told}").json()["items"]
    )
    assert len(events) == len(query["lines"]) == datasets
    assert sum(event["price_vnd"] for event in events) == charged


def test_queries_that_run_and_wait_when_the_service_is_killed_are_free_and_half_a_file_is_removed(
    alive: Market,
) -> None:
    alive.stop()
    alive.start(SANDULIEU_SANDBOX_JAILS="1")
    before, client = alive.balance()["available_vnd"], alive.client("startup")
    slow = client.post("/api/v1/queries", alive.ask(SLOW_SQL, wait_s=0)).json()
    waiting = client.post("/api/v1/queries", alive.ask(wait_s=0)).json()
    assert (slow["state"], waiting["state"]) == ("running", "queued")
    uploads = alive.home / "uploads"
    with closing(begun(alive)) as upload:
        upload.send(b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nNguyen Van A')
        _until(lambda: list(uploads.glob("*/source")))
        alive.stop(signal.SIGKILL)
    alive.start()
    _until(lambda: not list(uploads.iterdir()))
    assert _newest(alive)["id"] == waiting["id"]
    for query in client.get("/api/v1/queries").json()["items"][:2]:
        assert (query["state"], query["failure"]["code"]) == ("failed", "query.interrupted")
    wallet = alive.balance()
    assert (wallet["available_vnd"], wallet["held_vnd"]) == (before, 0)
    assert alive.reconciled()


def _until(true: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def _newest(market: Market) -> dict[str, Any]:
    """The newest query, once the sweep has been by."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        query: dict[str, Any] = market.client("startup").get("/api/v1/queries").json()["items"][0]
        if query["state"] not in ("queued", "running"):
            return query
        time.sleep(0.1)
    raise AssertionError("the sweep left the query running")
