"""Invoices over HTTP: who may see which, and the way from the month's total down to a query."""

from __future__ import annotations

from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.invoices.api import handlers
from tests.conftest import ClientFor
from tests.marketplace.invoices.bills import charged, invoice_of, rich, this_month
from tests.marketplace.parties import Make


async def test_who_may_read_an_invoice(client_for: ClientFor, database: Database, make: Make) -> None:
    startup, operator = await rich(database, make)
    owner, stranger = await make.party(database, kind="owner"), await make.party(database)
    reader = await make.party(database, kind="regulator")
    narrow = await make.party(database, kind="regulator", scopes=["audit"])
    await charged(database, startup, owner, dataset_id=new_id(), price=5_000)
    made = await invoice_of(database, startup)
    async with client_for(*handlers) as client:
        for path in (f"/api/v1/invoices/{made.id}", f"/api/v1/invoices/{made.id}/items"):
            assert (await client.get(path)).status_code == 401
            assert (await client.get(path, token=stranger.token)).status_code == 404
            assert (await client.get(path, token=owner.token)).status_code == 403
            assert (await client.get(path, token=narrow.token)).json()["code"] == "auth.scope_missing"
            for party in (startup, operator, reader):
                assert (await client.get(path, token=party.token)).status_code == 200
        listed = "/api/v1/invoices/issued"
        assert (await client.get(listed)).status_code == 401
        assert (await client.get(listed, token=owner.token)).status_code == 403
        assert (await client.get(listed, token=stranger.token)).json() == {"items": [], "next": None}
        (head,) = (await client.get(listed, token=startup.token)).json()["items"]
        everybody = (await client.get(f"{listed}?limit=200", token=reader.token)).json()["items"]
    assert (head["number"], head["gross_vnd"]) == (made.name, 5_000)
    assert head in everybody


async def test_each_line_leads_to_its_queries(client_for: ClientFor, database: Database, make: Make) -> None:
    startup, _ = await rich(database, make)
    owner = await make.party(database, kind="owner")
    one, two = new_id(), new_id()
    asked = {one: [], two: []}  # type: dict[object, list[str]]
    for dataset in (one, one, two, one):
        query = await charged(database, startup, owner, dataset_id=dataset, price=1_000)
        asked[dataset].append(str(query))
    made = await invoice_of(database, startup)
    async with client_for(*handlers) as client:
        shown = (await client.get(f"/api/v1/invoices/{made.id}", token=startup.token)).json()
        found: dict[str, list[str]] = {}
        for line in shown["lines"]:
            path, items = f"{line['items']}&limit=2", []
            while path:
                page = (await client.get(path, token=startup.token)).json()
                items += page["items"]
                path = page["next"] and f"{line['items']}&limit=2&cursor={page['next']}"
            assert sum(item["gross_vnd"] for item in items) == line["gross_vnd"]
            assert len(items) == line["queries"]
            found[line["dataset_id"]] = [item["query_id"] for item in items]
            assert items[0]["receipt"] == f"/api/v1/queries/{items[0]['query_id']}/receipt"
        statement = (await client.get("/api/v1/invoices", token=startup.token)).json()["items"][0]
    assert found == {str(dataset): queries for dataset, queries in asked.items()}
    assert (statement["month"], statement["issued"]) == (this_month().period, [str(made.id)])
    assert statement["total_vnd"] == shown["gross_vnd"] == shown["net_vnd"] + shown["vat_vnd"]


async def test_only_the_operator_closes_a_month_and_only_one_that_is_over(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    startup, operator = await rich(database, make)
    narrow = await make.party(database, kind="operator", scopes=["read"])
    body, path = {"period": "2025-08"}, "/api/v1/invoices"
    async with client_for(*handlers) as client:
        assert (await client.post(path, json=body)).status_code == 401
        assert (await client.post(path, json=body, token=startup.token)).status_code == 403
        assert (await client.post(path, json=body, token=narrow.token)).json()["code"] == "auth.scope_missing"
        assert (await client.post(path, json=body, token=operator.token)).json() == {"items": [], "next": None}
        running = await client.post(path, json={"period": this_month().period}, token=operator.token)
        assert (running.status_code, running.json()["code"]) == (409, "invoice.month_not_over")
        wrong = await client.post(path, json={"period": "2025-13"}, token=operator.token)
        assert wrong.json()["code"] == "request.invalid"
        asked = await client.get(f"{path}/issued?period=8", token=operator.token)
    assert asked.json()["code"] == "request.invalid"
