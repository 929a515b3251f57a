"""Who asked loses standing, or PostgreSQL goes away, while a query runs: nothing is released, no hold stays."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from marketplace.cli.client import Client
from tests.faults.test_underneath import SLOW_SQL, Asking, _running
from tests.market import Market


@pytest.fixture
def suspended(alive: Market) -> Any:
    """`suspended(True)` suspends the startup; it is let go on after the test."""
    path = f"/api/v1/organisations/{alive.person('startup').organisation_id}"

    def change(stop: bool) -> None:
        verb = "suspend" if stop else "unsuspend"
        assert alive.client("operator").post(f"{path}/{verb}", {"reason": "Kiểm thử."}).ok

    yield change
    change(False)


def test_an_organisation_suspended_while_its_query_runs_gets_nothing_and_pays_nothing(
    alive: Market, suspended: Any
) -> None:
    alive.agree("adult")
    before = alive.balance()["available_vnd"]
    asking = Asking(alive)
    _running(alive)
    suspended(True)
    query = asking.result()
    assert (query["state"], query["failure"]["code"]) == ("failed", "query.caller_barred")
    assert query["charged_vnd"] == 0
    assert alive.balance()["available_vnd"] == before
    _decided_again(alive, query["id"])


def _decided_again(market: Market, query_id: str) -> None:
    """Nothing was released, and yet what let the query in can be computed again from the log."""
    path, until = f"/api/v1/queries/{query_id}/receipt", time.monotonic() + 60
    while not (answer := market.client("regulator").get(path)).ok:
        assert time.monotonic() < until, answer.body
        time.sleep(0.05)
    receipt, key = market.home / "voided.json", market.home / "log.vkey"
    receipt.write_bytes(answer.body)
    key.write_bytes(market.client(None).get("/api/v1/audit/key").body)
    (policy,) = (market.home / "store" / "policies").iterdir()
    done = market.command("audit", "verify", str(receipt), "--key", str(key), "--policy", str(policy))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ decision allow" in done.stdout


def test_a_token_revoked_while_its_query_runs_fetches_nothing_and_ends_nothing(alive: Market) -> None:
    alive.agree("adult")
    person = alive.client("startup")
    made = person.post("/api/v1/tokens", {"name": "once", "scopes": ["read", "query"]}).json()
    once = Client(alive.url, made["token"], timeout_s=60)
    asked = once.post("/api/v1/queries", alive.ask(SLOW_SQL, wait_s=0))
    assert asked.status == 202
    path = f"/api/v1/queries/{asked.json()['id']}"
    assert person.delete(f"/api/v1/tokens/{made['id']}").ok
    assert [once.get(path + end).status for end in ("", "/result", "/receipt")] == [401] * 3
    assert once.delete(path).status == 401
    assert person.get(path).json()["state"] in ("queued", "running")
    assert person.delete(path).ok
    until = time.monotonic() + 60
    while person.get(path).json()["state"] in ("queued", "running"):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert alive.balance()["held_vnd"] == 0


def test_a_suspended_organisation_fetches_no_answer_until_it_may_again(alive: Market, suspended: Any) -> None:
    alive.agree("adult")
    query = alive.client("startup").post("/api/v1/queries", alive.ask()).json()
    path = f"/api/v1/queries/{query['id']}/result"
    suspended(True)
    refused = alive.client("startup").get(path)
    assert (refused.status, refused.json()["code"]) == (403, "auth.organisation_suspended")
    suspended(False)
    assert alive.client("startup").get(path).ok


def test_a_hold_is_given_back_when_postgresql_was_away_as_its_query_ended(alive: Market) -> None:
    alive.stop()
    alive.start(SANDULIEU_SANDBOX_DEADLINE_MS="1500")
    alive.agree("adult")
    before = alive.balance()["available_vnd"]
    asking = Asking(alive)
    query = _running(alive)
    _kill_postgres(alive)
    until = time.monotonic() + 60
    while f"query {query['id']} keeps its hold" not in alive.log.read_text(encoding="utf-8"):
        assert time.monotonic() < until, "the query did not end, or its end was not missed"
        time.sleep(0.05)
    alive.command("db", "status")  # whoever comes next starts the embedded server again
    client, until = alive.client("startup"), time.monotonic() + 30
    while time.monotonic() < until:
        answer = client.get(f"/api/v1/queries/{query['id']}")
        if answer.ok and answer.json()["state"] != "running":
            break
        time.sleep(0.2)
    assert answer.json()["failure"]["code"] == "query.interrupted", answer.json()
    assert alive.balance()["available_vnd"] == before
    _decided_again(alive, query["id"])
    assert alive.reconciled()
    asking.join(60)


def _kill_postgres(market: Market) -> None:
    (pid_file,) = Path(market.home, "postgres").rglob("postmaster.pid")
    pid = int(pid_file.read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
