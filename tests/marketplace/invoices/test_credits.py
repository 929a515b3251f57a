"""Credits: proposed by one, decided by another, money back to the đồng, never more than was paid."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from sqlalchemy import text

from marketplace.billing.split import rates_at, split
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.invoices import api, credits_api
from marketplace.invoices.document import Document, sha256_of
from marketplace.invoices.reads import find
from marketplace.ledger.accounts import account_id
from marketplace.ledger.reads import balance
from tests.conftest import ClientFor
from tests.marketplace.invoices.bills import books_agree, charged, invoice_of, rich
from tests.marketplace.invoices.test_closing import numbers_have_no_gap, tax_payable
from tests.marketplace.parties import Make, Party

HANDLERS = (*api.handlers, *credits_api.handlers)
EVENTS = text(
    "select name from event where :party = any (parties) "
    "and (name like 'credit:%' or name = 'invoice:credit') order by id"
)


class Scene(Struct, frozen=True):
    """A startup's invoice of three queries, and two people of the operator."""

    startup: Party
    owner: Party
    maker: Party
    checker: Party
    invoice: Document
    datasets: tuple[UUID, UUID]

    async def vnd(self, database: Database, kind: str) -> int:
        whose = {"wallet": self.startup, "earnings": self.owner}.get(kind)
        async with database.reading() as session:
            found = await balance(session, account_id(whose.organisation.id if whose else None, kind))
        return found.balance


@pytest.fixture
async def scene(database: Database, make: Make) -> Scene:
    startup, maker = await rich(database, make)
    owner, checker = await make.party(database, kind="owner"), await make.party(database, kind="operator")
    one, two = new_id(), new_id()
    for dataset, price in ((one, 1_001), (one, 2_003), (two, 10_007)):
        await charged(database, startup, owner, dataset_id=dataset, price=price, version_id=f"v-{dataset}")
    return Scene(startup, owner, maker, checker, await invoice_of(database, startup), (one, two))


async def proposed(client: Any, scene: Scene, **body: Any) -> dict[str, Any]:
    path = f"/api/v1/invoices/{scene.invoice.id}/credits"
    answer = await client.post(path, json={"reason": "kiểm thử", **body}, token=scene.maker.token)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def decided(client: Any, scene: Scene, credit: dict[str, Any], decision: str = "approve") -> Any:
    path = f"/api/v1/credits/{credit['id']}/decision"
    return await client.post(path, json={"decision": decision}, token=scene.checker.token)


async def test_who_may_propose_and_decide(
    client_for: ClientFor, database: Database, make: Make, scene: Scene
) -> None:
    narrow = await make.party(database, kind="operator", scopes=["read"])
    reader = await make.party(database, kind="regulator")
    path, body = f"/api/v1/invoices/{scene.invoice.id}/credits", {"reason": "kiểm thử"}
    async with client_for(*HANDLERS) as client:
        assert (await client.post(path, json=body)).status_code == 401
        assert (await client.post(path, json=body, token=scene.startup.token)).status_code == 403
        assert (await client.post(path, json=body, token=narrow.token)).json()["code"] == "auth.scope_missing"
        credit = await proposed(client, scene)
        decision, yes = f"/api/v1/credits/{credit['id']}/decision", {"decision": "approve"}
        assert (await client.post(decision, json=yes)).status_code == 401
        assert (await client.post(decision, json=yes, token=scene.startup.token)).status_code == 403
        own = await client.post(decision, json=yes, token=scene.maker.token)
        assert (own.status_code, own.json()["code"]) == (409, "credit.same_person")
        missing = await client.post(f"/api/v1/credits/{new_id()}/decision", json=yes, token=scene.checker.token)
        assert missing.status_code == 404
        assert (await client.get("/api/v1/credits", token=scene.owner.token)).status_code == 403
        listed = (await client.get("/api/v1/credits?state=proposed", token=reader.token)).json()["items"]
    assert credit in listed
    assert (credit["amount_vnd"], credit["uses"], credit["note_id"]) == (13_011, 3, None)


async def test_a_whole_invoice_given_back_leaves_nobody_a_dong_of_it(
    client_for: ClientFor, database: Database, scene: Scene
) -> None:
    tax = await tax_payable(database)
    async with client_for(*HANDLERS) as client:
        credit = (await decided(client, scene, await proposed(client, scene))).json()
        again = (await decided(client, scene, credit)).json()
        note = (await client.get(f"/api/v1/invoices/{credit['note_id']}", token=scene.startup.token)).json()
        invoice = (await client.get(f"/api/v1/invoices/{scene.invoice.id}", token=scene.startup.token)).json()
        more = await client.post(
            f"/api/v1/invoices/{scene.invoice.id}/credits", json={"reason": "thêm nữa"}, token=scene.maker.token
        )
    assert again == credit
    assert await scene.vnd(database, "wallet") == 1_000_000
    assert await scene.vnd(database, "earnings") == 0
    assert tax - await tax_payable(database) == scene.invoice.vat_vnd == note["vat_vnd"]
    assert (note["gross_vnd"], note["kind"]) == (scene.invoice.gross_vnd, "credit_note")
    assert note["corrects"]["invoice_id"] == str(scene.invoice.id)
    assert [each["id"] for each in invoice["credit_notes"]] == [note["id"]]
    assert more.json()["code"] == "credit.nothing_left"
    assert await numbers_have_no_gap(database)
    async with database.reading() as session:
        assert await books_agree(session)
    events = [row.name for row in await database.all(EVENTS, {"party": scene.startup.organisation.id})]
    assert events == ["credit:propose", "invoice:credit"]


async def test_parts_add_up_to_the_whole_and_not_a_dong_more(
    client_for: ClientFor, database: Database, scene: Scene
) -> None:
    tax = await tax_payable(database)
    one, two = (str(dataset) for dataset in scene.datasets)
    async with client_for(*HANDLERS) as client:
        page = await client.get(f"/api/v1/invoices/{scene.invoice.id}/items", token=scene.startup.token)
        use = page.json()["items"][0]["id"]
        parts: tuple[dict[str, Any], ...] = (
            {"item_ids": [use], "amount_vnd": 7}, {"dataset_id": one, "amount_vnd": 997},
            {"dataset_id": two}, {"amount_vnd": 1_111},
        )  # fmt: skip
        vats = []
        for part in parts:
            credit = (await decided(client, scene, await proposed(client, scene, **part))).json()
            note = await client.get(f"/api/v1/invoices/{credit['note_id']}", token=scene.startup.token)
            vats.append(note.json()["vat_vnd"])
        given = 7 + 997 + 10_007 + 1_111
        assert await scene.vnd(database, "wallet") == 1_000_000 - scene.invoice.gross_vnd + given
        assert tax - await tax_payable(database) == sum(vats)
        too_much = await client.post(
            f"/api/v1/invoices/{scene.invoice.id}/credits",
            json={"reason": "quá nhiều", "amount_vnd": scene.invoice.gross_vnd - given + 1},
            token=scene.maker.token,
        )
        assert (too_much.status_code, too_much.json()["code"]) == (409, "credit.exceeds")
        await decided(client, scene, await proposed(client, scene))
    assert await scene.vnd(database, "wallet") == 1_000_000
    assert await scene.vnd(database, "earnings") == 0
    assert tax - await tax_payable(database) == scene.invoice.vat_vnd


async def test_who_decides_too_late_is_told_what_the_whole_proposal_asks_and_what_is_left_of_it(
    client_for: ClientFor, scene: Scene
) -> None:
    async with client_for(*HANDLERS) as client:
        late = await proposed(client, scene, amount_vnd=scene.invoice.gross_vnd - 10)
        await decided(client, scene, await proposed(client, scene, amount_vnd=scene.invoice.gross_vnd - 1_000))
        told = (await decided(client, scene, late)).json()
    assert told["code"] == "credit.exceeds"
    assert told["params"] == {"asked_vnd": scene.invoice.gross_vnd - 10, "left_vnd": 1_000}


async def test_a_note_is_not_dated_before_its_invoice_though_the_clock_was_set_back(
    client_for: ClientFor, database: Database, scene: Scene
) -> None:
    """The invoice is of the end of this month: by the clock of whoever decides that is still to come."""
    async with client_for(*HANDLERS) as client:
        credit = await proposed(client, scene, amount_vnd=1_000)
        note = (await decided(client, scene, credit)).json()["note_id"]
    async with database.session() as session:
        found = await find(session, UUID(note), party=None)
    assert found.document.issued_at >= scene.invoice.issued_at
    assert found.document.corrects is not None
    assert (found.document.corrects.number, found.sha256) == (scene.invoice.number, sha256_of(found.document))


async def test_two_approvals_at_once_of_the_same_money_give_it_back_once(
    client_for: ClientFor, database: Database, scene: Scene
) -> None:
    async with client_for(*HANDLERS) as client:
        both = [await proposed(client, scene) for _ in range(4)]
        answers = await asyncio.gather(*(decided(client, scene, credit) for credit in both))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "credit.exceeds"}
    assert await scene.vnd(database, "wallet") == 1_000_000


async def test_what_is_refused_moves_nothing_and_cannot_be_approved_after(
    client_for: ClientFor, database: Database, scene: Scene
) -> None:
    async with client_for(*HANDLERS) as client:
        credit = await proposed(client, scene)
        assert (await decided(client, scene, credit, "refuse")).json()["state"] == "refused"
        refused = await decided(client, scene, credit)
        assert refused.json()["code"] == "credit.decided"
    assert await scene.vnd(database, "wallet") == 1_000_000 - scene.invoice.gross_vnd


async def test_a_proposal_repeated_with_its_key_is_one(
    client_for: ClientFor, database: Database, scene: Scene
) -> None:
    key, path = {"Idempotency-Key": f"c-{new_id()}"}, f"/api/v1/invoices/{scene.invoice.id}/credits"
    body = {"reason": "kiểm thử"}
    async with client_for(*HANDLERS) as client:
        answers = [
            (await client.post(path, json=body, token=scene.maker.token, headers=key)).json() for _ in range(2)
        ]
        other = await client.post(path, json=body | {"amount_vnd": 5}, token=scene.maker.token, headers=key)
    assert answers[0] == answers[1]
    assert other.json()["code"] == "idempotency.key_reused"


async def test_a_version_withdrawn_for_quality_is_credited_on_every_invoice(
    client_for: ClientFor, database: Database, make: Make, scene: Scene
) -> None:
    other, _ = await rich(database, make)
    version = f"v-{scene.datasets[0]}"
    await charged(database, other, scene.owner, dataset_id=scene.datasets[0], price=5_000, version_id=version)
    invoice = await invoice_of(database, other)
    path, body = "/api/v1/credits/version", {"version_id": version, "reason": "dữ liệu sai"}
    async with client_for(*HANDLERS) as client:
        assert (await client.post(path, json=body)).status_code == 401
        assert (await client.post(path, json=body, token=scene.startup.token)).status_code == 403
        made = (await client.post(path, json=body, token=scene.maker.token)).json()["items"]
        assert {each["invoice_id"]: each["amount_vnd"] for each in made} == {
            str(scene.invoice.id): 3_004, str(invoice.id): 5_000,
        }  # fmt: skip
        for credit in made:
            assert (await decided(client, scene, credit)).status_code == 200
        again = await client.post(path, json=body, token=scene.maker.token)
    assert again.json()["code"] == "credit.nothing_left"
    assert await scene.vnd(database, "wallet") == 1_000_000 - 10_007


async def test_a_withdrawn_version_s_queries_of_the_open_month_come_back_and_are_never_billed_again(
    client_for: ClientFor, database: Database, scene: Scene
) -> None:
    bad = f"bad-{new_id()}"
    for price, version in ((7_001, bad), (11_003, bad), (500, "good")):
        await charged(
            database, scene.startup, scene.owner, dataset_id=scene.datasets[0], price=price, version_id=version
        )
    tax, earned = await tax_payable(database), await scene.vnd(database, "earnings")
    body = {"version_id": bad, "reason": "dữ liệu sai"}
    async with client_for(*HANDLERS) as client:
        made = await client.post("/api/v1/credits/version", json=body, token=scene.maker.token)
        (credit,) = made.json()["items"]
        assert (credit["amount_vnd"], credit["uses"]) == (18_004, 2)
        given = (await decided(client, scene, credit)).json()
        again = await client.post("/api/v1/credits/version", json=body, token=scene.maker.token)
        early = await client.get(f"/api/v1/invoices/{credit['invoice_id']}", token=scene.startup.token)
        note = await client.get(f"/api/v1/invoices/{given['note_id']}", token=scene.startup.token)
    assert again.json()["code"] == "credit.nothing_left"
    assert (early.json()["gross_vnd"], early.json()["vat_vnd"]) == (18_004, note.json()["vat_vnd"])
    assert await scene.vnd(database, "wallet") == 1_000_000 - scene.invoice.gross_vnd - 500
    rest = await invoice_of(database, scene.startup)
    assert rest.gross_vnd == 500
    bad_earned, good_earned = (
        sum(split(price, rates_at(utcnow())).owner for price in prices) for prices in ((7_001, 11_003), (500,))
    )
    assert await scene.vnd(database, "earnings") == earned - bad_earned
    assert earned - bad_earned > good_earned > 0
    bad_tax = sum(split(price, rates_at(utcnow())).tax for price in (7_001, 11_003, 500))
    assert await tax_payable(database) == tax - bad_tax + rest.vat_vnd
    assert await numbers_have_no_gap(database)
    async with database.reading() as session:
        assert await books_agree(session)


async def test_a_credit_note_is_not_credited(client_for: ClientFor, scene: Scene) -> None:
    async with client_for(*HANDLERS) as client:
        credit = (await decided(client, scene, await proposed(client, scene))).json()
        path = f"/api/v1/invoices/{credit['note_id']}/credits"
        refused = await client.post(path, json={"reason": "kiểm thử"}, token=scene.maker.token)
    assert refused.json()["code"] == "credit.not_an_invoice"
