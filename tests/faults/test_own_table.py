"""A startup's own table removed while a question over it is quoted, waits or runs: no hold stays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.test_underneath import SLOW_SQL, Asking, _running
from tests.market import Market
from tests.marketplace.queries.test_names_of_others import send

NAME = "nhom_tam"
SQL = f"select count(*) as n from adult, {NAME}"


@pytest.fixture
def one_jail(fragile: Market) -> Iterator[Market]:
    if fragile.lives:
        fragile.stop()
    fragile.start(SANDULIEU_SANDBOX_JAILS="1")
    fragile.agree("adult")
    yield fragile
    for each in fragile.client("startup").get("/api/v1/tables").json()["items"]:
        remove(fragile, each["id"])


def remove(market: Market, table: str) -> None:
    assert market.client("startup").delete(f"/api/v1/tables/{table}").status == 204


def over(market: Market, query_id: str) -> dict[str, Any]:
    while True:
        query: dict[str, Any] = market.client("startup").get(f"/api/v1/queries/{query_id}").json()
        if query["state"] not in ("queued", "running"):
            return query
        time.sleep(0.05)


def test_a_question_that_waits_when_its_table_goes_ends_free(one_jail: Market) -> None:
    table, client = send(one_jail, "startup", NAME), one_jail.client("startup")
    quote = client.post("/api/v1/queries/quote", one_jail.ask(SQL)).json()
    slow = Asking(one_jail)
    running = _running(one_jail)
    held = one_jail.balance()["held_vnd"]
    waiting = client.post("/api/v1/queries", one_jail.ask(SQL, wait_s=0)).json()
    assert waiting["state"] == "queued"
    assert one_jail.balance()["held_vnd"] == held + quote["quote_vnd"] > held
    remove(one_jail, table)
    refused = client.post("/api/v1/queries", one_jail.ask(SQL, quote_id=quote["id"])).json()
    assert refused["code"] == "sql.unknown_table"
    assert client.delete(f"/api/v1/queries/{running['id']}").ok
    query = over(one_jail, waiting["id"])
    assert (query["state"], query["failure"]["code"], query["charged_vnd"]) == ("failed", "query.table_gone", 0)
    assert all(said["next"] for said in query["failure"]["messages"].values())
    slow.result()
    assert one_jail.balance()["held_vnd"] == 0
    assert one_jail.reconciled()


def test_a_question_that_runs_when_its_table_goes_leaves_no_hold_and_no_file(one_jail: Market) -> None:
    """It may have opened the table by then, or not yet: ended by its owner, or free."""
    table = send(one_jail, "startup", NAME)
    before = one_jail.balance()["available_vnd"]
    asking = Asking(one_jail, f"{SLOW_SQL} join {NAME} o on o.nhom = 'a' and b.education > ''")
    running = _running(one_jail)
    remove(one_jail, table)
    assert one_jail.client("startup").get("/api/v1/tables").json()["items"] == []
    assert one_jail.client("startup").delete(f"/api/v1/queries/{running['id']}").ok
    asking.result()
    query = over(one_jail, running["id"])
    owed = {"query.cancelled": query["quote_vnd"], "query.table_gone": 0}
    assert query["charged_vnd"] == owed[query["failure"]["code"]]
    wallet = one_jail.balance()
    assert (wallet["available_vnd"], wallet["held_vnd"]) == (before - query["charged_vnd"], 0)
    assert not list((one_jail.home / "store" / "own").iterdir())
    assert one_jail.reconciled()
