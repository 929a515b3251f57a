"""Real queries, from the jail to the invoice: the month's invoices are the month's charges, to the đồng."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from marketplace.cli.client import Client
from marketplace.cli.main import main
from marketplace.config import Config
from marketplace.db.engine import open_database
from tests.market import SMALL_SQL, Market
from tests.marketplace.invoices.bills import close, this_month
from tests.marketplace.parties import Make

CHARGED = text("""
    select sum(t.amount)::bigint as vnd from transfer t join usage u
        on u.query_id = t.query_id and u.dataset_id = t.dataset_id
    where t.kind = 'post' and t.code = 'query_charge' and u.at >= :since and u.at < :until
""")
INVOICED = text("select sum(gross_vnd)::bigint as vnd from invoice where kind = 'invoice' and period = :period")


async def _closed(market: Market) -> tuple[int, int]:
    """What the ledger charged in this month and what its invoices say, once it is closed."""
    database = open_database(Config(home=market.home), connections=2)
    month = this_month()
    try:
        await close(database)
        charged = await database.one(CHARGED, {"since": month.since, "until": month.until})
        invoiced = await database.one(INVOICED, {"period": month.period})
    finally:
        await database.close()
    assert charged is not None
    assert invoiced is not None
    return charged.vnd, invoiced.vnd


def _receipt(client: Client, path: str) -> dict[str, Any]:
    """Once its leaf is in a published tree."""
    until = time.monotonic() + 60
    while not (answer := client.get(path)).ok:
        assert answer.json()["code"] == "receipt.pending", answer.body
        assert time.monotonic() < until
        time.sleep(0.05)
    found: dict[str, Any] = answer.json()
    return found


def test_invoices_of_a_month_are_its_charges_and_lead_to_decision_and_receipt(market: Market) -> None:
    startup = market.client("startup")
    asked = [startup.post("/api/v1/queries", market.ask(SMALL_SQL)).json() for _ in range(2)]
    charged, invoiced = asyncio.run(_closed(market))
    assert charged == invoiced >= sum(query["charged_vnd"] for query in asked) > 0
    (head, *_) = startup.get("/api/v1/invoices/issued").json()["items"]
    items = startup.get(f"/api/v1/invoices/{head['id']}/items?limit=200").json()["items"]
    billed = {item["query_id"]: item for item in items}
    for query in asked:
        item = billed[query["id"]]
        assert item["gross_vnd"] == query["charged_vnd"]
        assert _receipt(startup, f"/api/v1/decisions/{item['decision_id']}/receipt")
        assert _receipt(startup, item["receipt"])["query_id"] == query["id"]
    assert market.reconciled()


async def _second_operator(market: Market) -> Client:
    database = open_database(Config(home=market.home), connections=2)
    try:
        return Client(market.url, (await Make().party(database, kind="operator")).token, timeout_s=60)
    finally:
        await database.close()


def test_a_credit_note_leaves_the_receipts_of_its_queries_as_they_were(market: Market) -> None:
    startup = market.client("startup")
    query = startup.post("/api/v1/queries", market.ask(SMALL_SQL)).json()
    asyncio.run(_closed(market))
    (head, *_) = startup.get("/api/v1/invoices/issued").json()["items"]
    items = startup.get(f"/api/v1/invoices/{head['id']}/items?limit=200").json()["items"]
    (item,) = [each for each in items if each["query_id"] == query["id"]]
    parties = [market.client(role) for role in ("startup", "owner", "regulator")]
    told = [_receipt(party, item["receipt"])["settled"] for party in parties]
    assert None not in told
    path = f"/api/v1/invoices/{head['id']}/credits"
    credit = market.client("operator").post(path, {"reason": "kiểm thử", "item_ids": [item["id"]]}).json()
    decision = f"/api/v1/credits/{credit['id']}/decision"
    decided = asyncio.run(_second_operator(market)).post(decision, {"decision": "approve"}).json()
    assert (decided["state"], decided["amount_vnd"]) == ("approved", query["charged_vnd"])
    assert [_receipt(party, item["receipt"])["settled"] for party in parties] == told
    assert market.reconciled()


def test_the_command_closes_a_month_that_is_over_and_refuses_one_that_runs(
    market: Market, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANDULIEU_HOME", str(market.home))
    assert main(["invoices", "close", "--period", "2025-08", "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) == {"period": "2025-08", "issued": []}
    assert main(["invoices", "close", "--period", this_month().period]) == 1
    assert this_month().period in capsys.readouterr().err
