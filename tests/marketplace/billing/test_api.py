"""Wallet, credits and invoices over HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from marketplace.accounts.callers import Operator, narrow
from marketplace.billing.actions import credit_wallet
from marketplace.billing.api import handlers
from marketplace.billing.split import rates_at, split
from marketplace.calendar import day_of
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.together import perform
from marketplace.invoices.api import get_statements
from marketplace.ledger.reconcile import reconcile
from marketplace.metering.actions import usage_recorded
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.billing.money import charge_query, hold_query
from tests.marketplace.parties import Make, Party


def owners_part(price_vnd: int) -> int:
    return split(price_vnd, rates_at(utcnow())).owner


def credit_body(party: Party, **changed: object) -> dict[str, object]:
    return {"organisation_id": str(party.organisation.id), "amount_vnd": 50_000, "reference": "UNC 7", **changed}


async def charged(database: Database, startup: Party, owner: Party, *, dataset_id: UUID, price: int) -> UUID:
    """A query of the startup on the owner's data that was held, used and charged."""
    query = new_id()
    async with database.session() as session:
        held = await hold_query(session, query_id=query, startup_id=startup.organisation.id, amount_vnd=price)
        await charge_query(
            session, hold_id=held, query_id=query, owner_id=owner.organisation.id, amount_vnd=price,
            dataset_id=dataset_id,
        )  # fmt: skip
        usage = usage_recorded(
            query_id=query, organisation_id=startup.organisation.id, owner_id=owner.organisation.id,
            person_id=startup.person.id, agreement_id=new_id(), dataset_id=dataset_id, version_id="v1",
            outcome="ready", bytes=1_000, rows=3, cpu_us=5, wall_us=7, peak_memory_bytes=9, price_vnd=price,
        )  # fmt: skip
        await perform(session, usage)
    return query


async def test_who_may_credit_a_wallet(client_for: ClientFor, database: Database, make: Make) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    narrow = await make.party(database, kind="operator", scopes=["read"])
    path = "/api/v1/wallet/credits"
    async with client_for(*handlers) as client:
        assert (await client.post(path, json=credit_body(startup))).status_code == 401
        assert (await client.post(path, json=credit_body(startup), token=startup.token)).status_code == 403
        refused = await client.post(path, json=credit_body(startup), token=narrow.token)
        assert refused.json()["code"] == "auth.scope_missing"
        assert (await client.post(path, json=credit_body(startup), token=operator.token)).status_code == 201
        wallet = (await client.get("/api/v1/wallet", token=startup.token)).json()
    assert (wallet["balance_vnd"], wallet["held_vnd"], wallet["available_vnd"]) == (50_000, 0, 50_000)
    assert [(each["amount_vnd"], each["reference"]) for each in wallet["transfers"]] == [(50_000, "UNC 7")]


async def test_a_credit_repeated_with_its_key_is_booked_once(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    other = await make.party(database, kind="operator")
    key, path = {"Idempotency-Key": "k1"}, "/api/v1/wallet/credits"
    async with client_for(*handlers) as client:
        answers = [
            (await client.post(path, json=credit_body(startup), token=operator.token, headers=key)).json()
            for _ in range(2)
        ]
        assert answers[0] == answers[1]
        changed = credit_body(startup, amount_vnd=60_000)
        refused = await client.post(path, json=changed, token=operator.token, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency.key_reused")
        wallet = await client.get("/api/v1/wallet", token=startup.token)
        assert wallet.json()["balance_vnd"] == 50_000
        await client.post(path, json=credit_body(startup), token=other.token, headers=key)
        wallet = await client.get("/api/v1/wallet", token=startup.token)
    assert wallet.json()["balance_vnd"] == 100_000


async def test_wrong_credits_are_refused_and_say_how(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    wrong = {
        "wallet.amount_out_of_range": credit_body(startup, amount_vnd=5),
        "wallet.no_wallet": credit_body(operator),
        "not_found": credit_body(startup, organisation_id=str(new_id())),
        "request.invalid": credit_body(startup, amount_vnd="1.5"),
    }
    async with client_for(*handlers) as client:
        for code, body in wrong.items():
            answer = await client.post("/api/v1/wallet/credits", json=body, token=operator.token)
            assert answer.json()["code"] == code
            assert answer.json()["next"]


async def test_each_party_sees_its_own_money_only(client_for: ClientFor, database: Database, make: Make) -> None:
    startup, stranger = await make.party(database), await make.party(database)
    owner, operator = await make.party(database, kind="owner"), await make.party(database, kind="operator")
    reader = await make.party(database, kind="regulator")
    dataset = new_id()
    async with client_for(*handlers) as client:
        await client.post("/api/v1/wallet/credits", json=credit_body(startup), token=operator.token)
        query = await charged(database, startup, owner, dataset_id=dataset, price=2_000)
        assert (await client.get("/api/v1/wallet")).status_code == 401
        wallets = {
            party.person.id: (await client.get("/api/v1/wallet", token=party.token)).json()
            for party in (startup, stranger, owner, operator, reader)
        }
    assert wallets[startup.person.id]["balance_vnd"] == 48_000
    assert wallets[stranger.person.id]["balance_vnd"] == 0
    assert wallets[stranger.person.id]["transfers"] == []
    assert wallets[owner.person.id]["balance_vnd"] == owners_part(2_000)
    assert [each["query_id"] for each in wallets[owner.person.id]["transfers"]] == [str(query)]
    assert wallets[operator.person.id]["account"] == "platform"
    assert wallets[reader.person.id]["account"] == "state_budget"


async def test_invoices_show_each_party_its_side_of_the_same_queries(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    startup, stranger = await make.party(database), await make.party(database)
    owner, operator = await make.party(database, kind="owner"), await make.party(database, kind="operator")
    one, two = new_id(), new_id()
    async with client_for(*handlers, get_statements) as client:
        await client.post("/api/v1/wallet/credits", json=credit_body(startup), token=operator.token)
        for dataset, price in ((one, 1_000), (one, 3_000), (two, 10_000)):
            await charged(database, startup, owner, dataset_id=dataset, price=price)
        assert (await client.get("/api/v1/invoices")).status_code == 401
        assert (await client.get("/api/v1/invoices", token=stranger.token)).json() == {"items": []}
        (cost,) = (await client.get("/api/v1/invoices", token=startup.token)).json()["items"]
        (earned,) = (await client.get("/api/v1/invoices", token=owner.token)).json()["items"]
        exchange, *_ = (await client.get("/api/v1/invoices", token=operator.token)).json()["items"]
    assert (cost["side"], cost["total_vnd"]) == ("cost", 14_000)
    assert [(line["dataset_id"], line["queries"], line["amount_vnd"]) for line in cost["lines"]] == [
        (str(two), 1, 10_000), (str(one), 2, 4_000),
    ]  # fmt: skip
    assert (earned["side"], earned["total_vnd"]) == ("earning", sum(map(owners_part, (1_000, 3_000, 10_000))))
    assert {line["dataset_id"] for line in exchange["lines"]} == {None}
    assert exchange["total_vnd"] >= 2_590


async def test_charged_queries_reconcile_with_their_usage(database: Database, make: Make) -> None:
    startup, owner = await make.party(database), await make.party(database, kind="owner")
    operator = await make.party(database, kind="operator")
    async with database.session() as session:
        await credit_wallet(
            session,
            by=narrow(operator.caller, Operator, "operator", None),
            organisation_id=startup.organisation.id,
            amount_vnd=10_000,
            reference="x",
            transfer_id=new_id(),
        )
    queries = {
        str(await charged(database, startup, owner, dataset_id=new_id(), price=price)) for price in (0, 7, 999)
    }
    async with database.session() as session:
        found = {each.subject for each in await reconcile(session) if each.check != "usage_is_logged"}
    assert found & queries == set()


async def statement_of(client: Client, party: Party, **asked: str) -> dict[str, Any]:
    """All pages of it as one."""
    answer = await client.get("/api/v1/wallet/statement", params=asked, token=party.token)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    if page["next"]:
        page["items"] += (await statement_of(client, party, **asked, cursor=page["next"]))["items"]
    return page


async def test_who_has_a_statement(client_for: ClientFor, database: Database, make: Make) -> None:
    startup = await make.party(database)
    narrow = await make.party(database, scopes=["query"])
    path = "/api/v1/wallet/statement"
    async with client_for(*handlers) as client:
        assert (await client.get(path)).status_code == 401
        for kind in ("operator", "regulator"):
            other = await make.party(database, kind=kind)
            assert (await client.get(path, token=other.token)).status_code == 403
        assert (await client.get(path, token=narrow.token)).json()["code"] == "auth.scope_missing"
        for first, last in (("2026-02-02", "2026-02-01"), ("2024-01-01", "2026-01-01"), ("9999-12-31",) * 2):
            refused = await client.get(path, params={"from": first, "to": last}, token=startup.token)
            assert (refused.status_code, refused.json()["code"]) == (400, "request.invalid"), first


async def test_a_statement_is_the_party_s_own_and_goes_from_opening_to_closing(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    startup, stranger = await make.party(database), await make.party(database)
    owner, operator = await make.party(database, kind="owner"), await make.party(database, kind="operator")
    today = day_of(utcnow())
    async with client_for(*handlers) as client:
        await client.post("/api/v1/wallet/credits", json=credit_body(startup), token=operator.token)
        for price in range(1, 31):  # 61 entries: two pages
            await charged(database, startup, owner, dataset_id=new_id(), price=price)
        mine = await statement_of(client, startup)
        earned = await statement_of(client, owner)
        assert (await statement_of(client, stranger))["items"] == []
        before = await statement_of(client, startup, **{"from": "2026-01-01", "to": "2026-01-31"})
        later: date = today + timedelta(days=1)
        after = await statement_of(client, startup, **{"from": f"{later}", "to": f"{later}"})
    assert (mine["account"], mine["opening_vnd"], mine["closing_vnd"]) == ("wallet", 0, 50_000 - 465)
    assert len(mine["items"]) == len({each["id"] for each in mine["items"]}) == 61
    balance = 0
    for each in mine["items"]:
        balance += each["amount_vnd"]
        assert each["balance_vnd"] == balance
    assert balance == mine["closing_vnd"]
    assert sum(each["held_vnd"] for each in mine["items"]) == 0
    assert (earned["account"], earned["closing_vnd"]) == ("earnings", sum(map(owners_part, range(1, 31))))
    assert (before["closing_vnd"], before["items"]) == (0, [])
    assert (after["opening_vnd"], after["closing_vnd"], after["items"]) == (50_000 - 465,) * 2 + ([],)
