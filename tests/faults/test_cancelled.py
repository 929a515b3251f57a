"""A query that its owner ends: waiting, in a jail, answered, and at the very instant at which it settles."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from marketplace.db import embedded
from marketplace.db.roles import OWNER
from tests.faults.test_underneath import Asking, _running
from tests.market import SMALL_SQL, Market
from tests.visits import visiting


def _cancel(market: Market, query_id: str) -> dict[str, Any]:
    answer = market.client("startup").delete(f"/api/v1/queries/{query_id}")
    assert answer.status == 200, answer.body
    query: dict[str, Any] = answer.json()
    return query


def _ask(market: Market, sql: str = SMALL_SQL, **more: Any) -> dict[str, Any]:
    query: dict[str, Any] = market.client("startup").post("/api/v1/queries", market.ask(sql, **more)).json()
    return query


def _money(market: Market) -> tuple[int, int]:
    wallet = market.balance()
    return wallet["available_vnd"], wallet["held_vnd"]


def _events(market: Market, query_id: str) -> list[str]:
    items = market.client("startup").get("/api/v1/audit/events?limit=200").json()["items"]
    return sorted(event["name"] for event in items if event["query_id"] == query_id)


def test_a_query_in_a_jail_ends_at_once_and_costs_its_quote_once(alive: Market) -> None:
    alive.agree("adult")
    before = alive.balance()["available_vnd"]
    asking = Asking(alive)
    running = _running(alive)
    query = _cancel(alive, running["id"])
    assert (query["state"], query["failure"]["code"]) == ("cancelled", "query.cancelled")
    assert query["charged_vnd"] == query["quote_vnd"] > 0
    assert _cancel(alive, running["id"]) == query
    assert asking.result()["state"] == "cancelled"
    assert alive.client("startup").get(f"/api/v1/queries/{query['id']}/result").status == 409
    wallet = alive.balance()
    assert (wallet["available_vnd"], wallet["held_vnd"]) == (before - query["quote_vnd"], 0)
    assert _events(alive, query["id"]) == ["query:cancel", "query:settle"]
    assert _ask(alive)["state"] == "ready"
    assert alive.reconciled()


def test_the_page_ends_a_query_and_says_so_of_one_that_was_erased(alive: Market) -> None:
    asking = Asking(alive)
    path = f"/queries/{_running(alive)['id']}"
    ready = _ask(alive)
    with visiting(alive, "startup") as visitor:
        assert f'action="{path}/cancel"' in visitor.get(path).text
        assert visitor.send(f"{path}/cancel", {}).headers["Location"] == f"{path}?done=query_ended"
        assert "Truy vấn đã bị hủy" in visitor.get(path).text
        asking.result()
        _cancel(alive, ready["id"])
        assert "Kết quả đã được xóa" in visitor.get(f"/queries/{ready['id']}").text
    with visiting(alive, "rival") as visitor:
        assert visitor.send(f"{path}/cancel", {}).status_code == 404


def test_a_mark_that_another_process_left_is_found(alive: Market) -> None:
    asking = Asking(alive)
    running = _running(alive)
    with psycopg.connect(embedded.url(alive.home, OWNER)) as connection:
        connection.execute("update query set cancel_asked_at = now() where id = %s", [running["id"]])
    assert asking.result()["state"] == "cancelled"


def test_a_query_that_waits_ends_free(alive: Market) -> None:
    alive.stop()
    alive.start(SANDULIEU_SANDBOX_JAILS="1")
    asking = Asking(alive)
    slow = _running(alive)
    before = _money(alive)
    waiting = _ask(alive, wait_s=0)
    assert waiting["state"] == "queued"
    query = _cancel(alive, waiting["id"])
    assert (query["state"], query["charged_vnd"]) == ("cancelled", 0)
    assert _money(alive) == before
    assert _events(alive, query["id"]) == ["query:cancel", "query:void"]
    _cancel(alive, slow["id"])
    asking.result()
    assert alive.reconciled()


@pytest.mark.parametrize("sql", [SMALL_SQL, "select * from adult limit 9000"])
def test_an_answer_that_is_there_is_erased_and_stays_paid(alive: Market, sql: str) -> None:
    alive.agree("adult")
    ready = _ask(alive, sql)
    before = alive.balance()
    path = f"/api/v1/queries/{ready['id']}/result"
    assert alive.client("startup").get(path).ok
    query = _cancel(alive, ready["id"])
    assert (query["state"], query["charged_vnd"]) == ("cancelled", ready["charged_vnd"])
    assert query["failure"]["code"] == "query.answer_erased"
    refused = alive.client("startup").get(path)
    assert (refused.status, refused.json()["code"]) == (410, "query.answer_erased")
    assert not (alive.home / "answers" / ready["id"]).exists()
    with psycopg.connect(embedded.url(alive.home, OWNER)) as connection:
        assert connection.execute("select from query_result where query_id = %s", [ready["id"]]).fetchall() == []
    assert alive.balance() == before
    assert _events(alive, query["id"]) == ["query:cancel", "query:fetch", "query:settle"]


def test_queries_cancelled_as_they_settle_are_charged_or_free_and_never_answered(alive: Market) -> None:
    alive.agree("adult")
    before = alive.balance()["available_vnd"]
    found: list[dict[str, Any]] = []

    def ask_and_cancel(pause_s: float) -> None:
        asked = _ask(alive, wait_s=0)
        time.sleep(pause_s)
        found.append(_cancel(alive, asked["id"]))

    threads = [threading.Thread(target=ask_and_cancel, args=(i * 0.004,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {query["state"] for query in found} == {"cancelled"}
    assert {query["charged_vnd"] for query in found} <= {0, found[0]["quote_vnd"]}
    for query in found:
        assert alive.client("startup").get(f"/api/v1/queries/{query['id']}/result").status in (409, 410)
    wallet = alive.balance()
    assert wallet["held_vnd"] == 0
    assert wallet["available_vnd"] == before - sum(query["charged_vnd"] for query in found)
    assert alive.reconciled()


def test_what_failed_stays_as_it_is(alive: Market) -> None:
    alive.agree("adult")
    failed = _ask(alive, "select education, marital_status from adult")
    assert failed["state"] == "failed"
    assert _cancel(alive, failed["id"]) == failed
    assert "query:cancel" not in _events(alive, failed["id"])
