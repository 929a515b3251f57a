"""Auto top-up: below the floor, once, within the month; and the saved methods it takes from."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import hold
from marketplace.payments.jobs import fill_wallets
from marketplace.payments.provider import Payments
from tests.marketplace.parties import Make
from tests.marketplace.payments.books import money
from tests.marketplace.payments.payer import Payer

AUTO, SETTINGS = "/api/v1/wallet/auto-top-up", "/api/v1/wallet/settings"


async def switch_on(payer: Payer, status: int = 200, **settings: Any) -> dict[str, Any]:
    body = {"floor_vnd": 100_000, "amount_vnd": 150_000, "month_limit_vnd": 300_000, **settings}
    answer = await payer.desk.post(AUTO, json=body, token=payer.party.token)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ask(database: Database, payer: Payer, amount: int) -> None:
    """A query holds its price."""
    async with database.session() as session:
        await hold(
            session, id=new_id(), debit=account_id(payer.organisation_id, "wallet"),
            credit=account_id(None, "platform"), amount=amount, code="query_hold",
        )  # fmt: skip


def charges(payer: Payer, method: str) -> int:
    return sum(e["type"] == "payment_intent.succeeded" for e in payer.fake.events() if _by(e, method))


def _by(event: dict[str, Any], method: str) -> bool:
    return bool(event["data"]["object"].get("payment_method") == method)


async def test_who_may_and_what_must_fit(payer: Payer, database: Database, make: Make) -> None:
    method = await payer.method()
    assert (await payer.desk.post(AUTO, json={"method_id": method})).status_code in (400, 401)
    rival, analyst = await make.party(database), await make.party(database, roles=["analyst"])
    body = {"method_id": method, "floor_vnd": 1, "amount_vnd": 50_000, "month_limit_vnd": 50_000}
    assert (await payer.desk.post(AUTO, json=body)).status_code == 401
    assert (await payer.desk.post(AUTO, json=body, token=analyst.token)).status_code == 403
    assert (await payer.desk.post(AUTO, json=body, token=rival.token)).status_code == 404
    assert (await switch_on(payer, 400, method_id=method, month_limit_vnd=149_999))["code"] == (
        "payments.settings_out_of_range"
    )
    assert (await switch_on(payer, 400, method_id=method, amount_vnd=1))["code"] == "wallet.amount_out_of_range"
    shown = await switch_on(payer, method_id=method)
    assert shown["auto"] == {
        "method_id": method, "floor_vnd": 100_000, "amount_vnd": 150_000, "month_limit_vnd": 300_000,
        "taken_vnd": 0, "paused": None, "stopped": None,
    }  # fmt: skip
    assert [one["last4"] for one in shown["methods"]] == ["4242"]
    assert (await payer.desk.get(SETTINGS, token=rival.token)).json()["methods"] == []


async def test_thirty_two_queries_at_once_cause_one_top_up(
    payer: Payer, database: Database, payments: Payments, cards: Config
) -> None:
    method = await payer.method()
    await switch_on(payer, method_id=method)

    async def query() -> None:
        await ask(database, payer, 5_000)
        await fill_wallets(database, payments.require(), cards)

    await asyncio.gather(*(query() for _ in range(32)))
    assert charges(payer, method) == 1
    assert await money(database, payer.organisation_id) == {"wallet": 350_000}


async def test_a_month_takes_no_more_than_its_limit(
    payer: Payer, database: Database, payments: Payments, cards: Config
) -> None:
    method = await payer.method()
    await switch_on(payer, method_id=method)
    for held, taken in ((150_000, 1), (140_000, 2), (150_000, 2), (10_000, 2)):
        await ask(database, payer, held)
        for _ in range(2):
            await fill_wallets(database, payments.require(), cards)
        assert charges(payer, method) == taken
    auto = (await payer.desk.get(SETTINGS, token=payer.party.token)).json()["auto"]
    assert (auto["taken_vnd"], auto["stopped"]["code"]) == (300_000, "payments.auto_month_reached")
    assert "300.000 đ; thêm 150.000 đ" in auto["stopped"]["messages"]["vi"]["why"]


@pytest.mark.parametrize(
    ("behaviour", "code", "why"),
    [("decline", "insufficient_funds", "too little money"), ("action", "authentication_required", "confirm it")],
)
async def test_a_refusal_pauses_until_a_person_has_looked(
    payer: Payer, database: Database, payments: Payments, cards: Config, behaviour: str, code: str, why: str
) -> None:
    method = await payer.method(behaviour)
    await switch_on(payer, method_id=method)
    await ask(database, payer, 150_000)
    for _ in range(3):
        await fill_wallets(database, payments.require(), cards)
    orders = (await payer.desk.get("/api/v1/wallet/top-ups", token=payer.party.token)).json()["items"]
    assert [(one["kind"], one["state"]) for one in orders] == [("auto", "failed"), ("checkout", "paid")]
    assert (await payer.desk.get(SETTINGS, token=payer.party.token)).json()["auto"]["paused"] == code
    shown = (await payer.desk.get(SETTINGS, token=payer.party.token)).json()["auto"]["stopped"]
    assert (shown["code"], why in shown["messages"]["en"]["why"]) == ("payments.auto_paused", True)
    assert (await switch_on(payer, method_id=method))["auto"]["paused"] is None
    off = await payer.desk.delete(AUTO, token=payer.party.token)
    assert off.status_code == 204
    assert (await payer.desk.get(SETTINGS, token=payer.party.token)).json()["auto"] is None


async def test_a_method_that_is_removed_here_or_there_pays_no_more(payer: Payer, database: Database) -> None:
    here, there = await payer.method(), await payer.method()
    await switch_on(payer, method_id=here)
    for path, status in ((f"/api/v1/wallet/methods/{here}", 204), (f"/api/v1/wallet/methods/{here}", 404)):
        assert (await payer.desk.delete(path, token=payer.party.token)).status_code == status
    payer.fake.do("forget", there)
    assert (await payer.tell(payer.events(there)[-1])).status_code == 200
    shown = (await payer.desk.get(SETTINGS, token=payer.party.token)).json()
    assert (shown["methods"], shown["auto"]["paused"]) == ([], "method_removed")


async def test_the_portal_is_linked_to(payer: Payer) -> None:
    answer = await payer.desk.post("/api/v1/wallet/portal", token=payer.party.token)
    assert answer.json()["url"].startswith("https://portal.example/")
