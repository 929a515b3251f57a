"""What changes while a query runs, or while its answer waits, bites before anything is released."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from marketplace.cli.client import Answer
from marketplace.db import embedded
from marketplace.db.roles import OWNER
from tests.market import SMALL_SQL, Market
from tests.pay import both

EVENTS = """
select d.slug, e.body from event e join dataset d on d.id = e.dataset_id
where e.query_id = %s and e.name = 'query:void'
"""
SLOW_SQL = "select count(*) as n from adult a join adult b on a.education < b.education"
"""Some half a billion pairs: seconds of work in the jail."""


class Asking(threading.Thread):
    """A slow query, asked in the background."""

    def __init__(self, market: Market, sql: str = SLOW_SQL, **more: Any) -> None:
        super().__init__()
        self.market, self.sql, self.more = market, sql, more
        self.answer: Answer | None = None
        self.start()

    def run(self) -> None:
        self.answer = self.market.client("startup").post("/api/v1/queries", self.market.ask(self.sql, **self.more))

    def result(self) -> dict[str, Any]:
        self.join(60)
        assert self.answer is not None
        body: dict[str, Any] = self.answer.json()
        until = time.monotonic() + 60
        while body.get("state") == "running" and time.monotonic() < until:
            time.sleep(0.1)
            body = self.market.client("startup").get(f"/api/v1/queries/{body['id']}").json()
        return body


def _running(market: Market) -> dict[str, Any]:
    """The query that runs now."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        items = market.client("startup").get("/api/v1/queries").json()["items"]
        if items and items[0]["state"] == "running":
            found: dict[str, Any] = items[0]
            return found
        time.sleep(0.02)
    raise AssertionError("no query is running")


@pytest.fixture
def own_agreement(alive: Market) -> Market:
    """An agreement that the test may end."""
    alive.agree("adult")
    return alive


def _end(market: Market) -> None:
    ended = market.client("owner").post(
        f"/api/v1/agreements/{market.agreements['adult']}/end", {"reason": "Kết thúc để kiểm thử."}
    )
    assert ended.ok, ended.body


def test_an_agreement_ended_while_its_query_runs_voids_it(own_agreement: Market) -> None:
    before = own_agreement.balance()["available_vnd"]
    asking = Asking(own_agreement)
    _running(own_agreement)
    _end(own_agreement)
    query = asking.result()
    assert query["state"] == "failed"
    assert query["failure"]["code"] == "query.agreement_ended"
    assert query["charged_vnd"] == 0
    assert own_agreement.balance()["available_vnd"] == before
    own_agreement.agree("adult")


def test_one_of_two_agreements_ended_while_their_query_runs_voids_it_for_both(alive: Market) -> None:
    ended = alive.agreements["pay"]
    before = alive.balance()["available_vnd"]
    asking = Asking(alive, f"{SLOW_SQL} cross join (select count(*) as persons from pay) p", **both(alive))
    running = _running(alive)
    assert {line["dataset"] for line in running["lines"]} == {"adult", "pay"}
    reason = {"reason": "Kết thúc để kiểm thử."}
    assert alive.client("rival_owner").post(f"/api/v1/agreements/{ended}/end", reason).ok
    query = asking.result()
    assert (query["state"], query["charged_vnd"]) == ("failed", 0)
    assert query["failure"]["code"] == "query.agreement_ended"
    assert query["failure"]["params"] == {"dataset": "pay"}
    assert alive.balance()["available_vnd"] == before
    assert alive.reconciled()
    for role in ("owner", "rival_owner"):
        events = alive.client(role).get(f"/api/v1/audit/events?query_id={query['id']}").json()["items"]
        assert [event["name"] for event in events] == ["query:void"]
    assert _causes(alive, query["id"]) == {
        "adult": {"code": "query.other_line", "params": {}},
        "pay": {"code": "query.agreement_ended", "params": {"dataset": "pay"}},
    }
    alive.agree("pay", owner="rival_owner")


def _causes(market: Market, query_id: str) -> dict[str, Any]:
    """Why it was voided, as the event of each dataset has it."""
    with psycopg.connect(embedded.url(market.home, OWNER)) as database:
        found = database.execute(EVENTS, [query_id]).fetchall()
    return {slug: {name: body[name] for name in ("code", "params")} for slug, body in found}


def test_an_agreement_ended_while_a_result_waits_closes_it(own_agreement: Market) -> None:
    client = own_agreement.client("startup")
    query = client.post("/api/v1/queries", own_agreement.ask()).json()
    path = f"/api/v1/queries/{query['id']}/result"
    assert client.get(path).ok
    _end(own_agreement)
    gone = client.get(path)
    assert (gone.status, gone.json()["code"]) == (410, "query.result_gone")
    denied = client.post("/api/v1/queries", own_agreement.ask())
    assert denied.status == 403
    own_agreement.agree("adult")


def test_a_worker_killed_mid_query_costs_the_quote_and_the_next_query_runs(alive: Market) -> None:
    asking = Asking(alive)
    _running(alive)
    time.sleep(0.3)
    for pid in _jail_children(alive):
        os.kill(pid, signal.SIGKILL)
    query = asking.result()
    assert query["state"] == "failed"
    assert query["failure"]["code"] == "sandbox.worker_lost"
    assert query["charged_vnd"] == query["quote_vnd"]
    after = alive.client("startup").post("/api/v1/queries", alive.ask()).json()
    assert after["state"] == "ready"
    assert alive.reconciled()


def _jail_children(market: Market) -> list[int]:
    """Every process below the service but PostgreSQL: the jails' processes, deepest last."""
    found, waiting = [], [market.pid]
    while waiting:
        pid = waiting.pop()
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            waiting += [int(child) for child in task.read_text().split()]
        if pid != market.pid and "postgres" not in Path(f"/proc/{pid}/cmdline").read_text():
            found.append(pid)
    return found


def test_two_and_thirty_clients_spend_one_wallet_and_never_below_zero(alive: Market) -> None:
    price = alive.client("startup").post("/api/v1/queries/quote", alive.ask()).json()["quote_vnd"]
    balance = alive.balance()["available_vnd"]
    # A wallet of its own: the rival's, with money for ten queries.
    agreement = alive.agree("adult", role="rival")
    alive.credit(10 * price + price // 2, role="rival")
    before = alive.balance("rival")["available_vnd"]
    body = alive.ask() | {"agreement_ids": [agreement]}
    answers: list[Answer] = []

    def spend() -> None:
        answers.append(alive.client("rival").post("/api/v1/queries", body))

    threads = [threading.Thread(target=spend) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paid = [a for a in answers if a.status == 201 and a.json()["charged_vnd"]]
    refused = [a for a in answers if a.status in (402, 403, 409)]
    assert len(paid) == before // price
    assert len(paid) + len(refused) == 32
    assert alive.balance("rival")["available_vnd"] == before - len(paid) * price >= 0
    assert alive.balance()["available_vnd"] == balance
    assert alive.reconciled()


def test_a_query_that_never_ends_is_killed_at_the_deadline_and_costs_its_quote(alive: Market) -> None:
    alive.stop()
    alive.start(SANDULIEU_SANDBOX_DEADLINE_MS="700")
    query = Asking(alive).result()
    assert query["state"] == "failed"
    assert query["failure"]["code"] == "sandbox.deadline"
    assert query["charged_vnd"] == query["quote_vnd"]


def test_a_full_queue_turns_the_next_query_away_before_it_costs_anything(alive: Market) -> None:
    alive.stop()
    alive.start(SANDULIEU_SANDBOX_JAILS="1", SANDULIEU_SANDBOX_QUEUE_QUERIES="1")
    first = Asking(alive)
    _running(alive)
    second = Asking(alive, SMALL_SQL)
    until = time.monotonic() + 60
    answer = alive.client("startup").post("/api/v1/queries", alive.ask(wait_s=0))
    while answer.status != 429 and time.monotonic() < until:
        time.sleep(0.05)
        answer = alive.client("startup").post("/api/v1/queries", alive.ask(wait_s=0))
    assert answer.status == 429
    assert answer.json()["code"] == "query.queue_full"
    assert int(answer.headers["retry-after"]) > 0
    for asking in (first, second):
        asking.result()
