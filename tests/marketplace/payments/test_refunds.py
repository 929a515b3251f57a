"""Money back: refunds that we make, refunds made at Stripe, disputes; never more than there is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from marketplace.accounts.callers import Operator, narrow
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import transfer
from marketplace.ledger.folding import fold
from marketplace.ledger.reads import not_even
from marketplace.payments.errors import ProviderUnavailable, RefundDiffers
from marketplace.payments.provider import Payments
from marketplace.payments.refunds import ask_refund
from marketplace.payments.returns import send_refund
from tests.marketplace.parties import Make, Party
from tests.marketplace.payments.books import in_balance, money
from tests.marketplace.payments.payer import Payer


@pytest.fixture
async def operator(database: Database, make: Make) -> Party:
    return await make.party(database, kind="operator")


async def refund(payer: Payer, by: Party, payment: str, amount: int | None = None, key: str | None = None) -> Any:
    body = {"reason": "Doanh nghiệp yêu cầu.", "amount": amount}
    headers = {"Idempotency-Key": key} if key else {}
    path = f"/api/v1/wallet/payments/{payment}/refunds"
    return await payer.desk.post(path, json=body, token=by.token, headers=headers)


async def spend(database: Database, payer: Payer, amount: int) -> None:
    async with database.session() as session:
        await transfer(
            session, id=new_id(), debit=account_id(payer.organisation_id, "wallet"),
            credit=account_id(None, "platform"), amount=amount, code="test_spend",
        )  # fmt: skip


async def tell_all(payer: Payer, payment: str) -> None:
    for event in payer.events(payment):
        assert (await payer.tell(event)).status_code == 200


async def test_only_an_operator_refunds_and_everybody_sees_their_own(
    payer: Payer, database: Database, operator: Party, make: Make
) -> None:
    payment, rival = await payer.paid(), await make.party(database)
    path = f"/api/v1/wallet/payments/{payment}/refunds"
    assert (await payer.desk.post(path, json={"reason": "x"})).status_code == 401
    for party in (payer.party, rival, await make.party(database, kind="owner")):
        assert (await refund(payer, party, payment)).status_code == 403
    listed = "/api/v1/wallet/payments"
    mine = (await payer.desk.get(listed, token=payer.party.token)).json()["items"]
    assert [one["id"] for one in mine] == [payment]
    assert (await payer.desk.get(listed, token=rival.token)).json()["items"] == []
    assert payment in {one["id"] for one in (await payer.desk.get(listed, token=operator.token)).json()["items"]}


async def test_in_parts_and_whole_but_never_more_than_was_paid(
    payer: Payer, database: Database, operator: Party
) -> None:
    payment = await payer.paid()
    first = await refund(payer, operator, payment, 50_000, key="one")
    assert (first.status_code, first.json()["state"]) == (201, "paid")
    assert (await refund(payer, operator, payment, 50_000, key="one")).json() == first.json()
    assert await money(database, payer.organisation_id) == {"wallet": 150_000}
    over = await refund(payer, operator, payment, 150_001)
    assert (over.status_code, over.json()["code"]) == (409, "payments.refund_too_much")
    assert (await refund(payer, operator, payment)).json()["amount"] == 150_000
    nothing = await refund(payer, operator, payment)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "payments.nothing_left"), "not: ask for less"
    assert await money(database, payer.organisation_id) == {}
    assert await in_balance(database)


async def test_an_id_that_came_before_is_no_other_refund(
    payer: Payer, database: Database, operator: Party
) -> None:
    first, second, refund_id = await payer.paid(), await payer.paid(), new_id()
    by = narrow(operator.caller, Operator, "operator", None)

    async def ask(payment: str, amount: int | None) -> int:
        async with database.session() as session:
            asked = await ask_refund(
                session, by=by, refund_id=refund_id, payment_id=payment, amount=amount, reason="x"
            )
            return asked.amount

    assert [await ask(first, 50_000), await ask(first, 50_000)] == [50_000, 50_000]
    for payment, amount in ((second, 50_000), (first, 60_000), (second, None)):
        with pytest.raises(RefundDiffers):
            await ask(payment, amount)
    assert await money(database, payer.organisation_id) == {"wallet": 350_000, "refunding": 50_000}


async def test_never_more_than_the_wallet_still_holds(payer: Payer, database: Database, operator: Party) -> None:
    payment = await payer.paid()
    await spend(database, payer, 120_000)
    short = await refund(payer, operator, payment)
    assert (short.status_code, short.json()["code"]) == (402, "wallet.insufficient")
    answers = await asyncio.gather(*(refund(payer, operator, payment, 30_000) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 402, 402, 402, 402]
    assert await money(database, payer.organisation_id) == {"wallet": 20_000}


async def test_of_dollars_all_parts_together_are_what_was_credited(
    payer: Payer, database: Database, operator: Party
) -> None:
    payment = await payer.paid(currency="USD", amount=1_001)
    for part in (333, 333, 334):
        assert (await refund(payer, operator, payment, part)).status_code == 201
    assert await money(database, payer.organisation_id) == {"wallet": 250}
    assert (await refund(payer, operator, payment)).json()["amount_vnd"] == 250
    assert await money(database, payer.organisation_id) == {}
    assert await in_balance(database)


@pytest.mark.parametrize("fault", ["before", "after", "drop"])
async def test_a_refund_stripe_did_not_answer_about_is_made_later_and_once(
    payer: Payer, database: Database, operator: Party, payments: Payments, fault: str
) -> None:
    payment = await payer.paid()
    payer.fake.fail(fault)
    asked = await refund(payer, operator, payment, 80_000)
    assert (asked.status_code, asked.json()["state"]) == (202, "requested")
    assert await money(database, payer.organisation_id) == {"wallet": 120_000, "refunding": 80_000}
    for _ in range(3):
        try:
            await send_refund(database, payments.require(), asked.json()["id"])
        except ProviderUnavailable:
            continue
    assert await money(database, payer.organisation_id) == {"wallet": 120_000}
    assert len([e for e in payer.events(payment) if e["type"] == "refund.created"]) == 1


async def test_a_refund_that_fails_at_the_bank_comes_back(
    payer: Payer, database: Database, operator: Party
) -> None:
    payment = await payer.paid()
    await refund(payer, operator, payment, 80_000)
    made = next(e["data"]["object"]["id"] for e in payer.events(payment) if e["type"] == "refund.created")
    payer.fake.do("end-refund", made, status="failed")
    await tell_all(payer, payment)
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}
    assert (await refund(payer, operator, payment)).status_code == 201
    assert await money(database, payer.organisation_id) == {}
    assert await in_balance(database)


async def test_what_stripe_refuses_is_given_back_at_once(
    payer: Payer, database: Database, operator: Party
) -> None:
    payment = await payer.paid()
    payer.fake.do("refund", payment, amount="150000")  # in the dashboard; nobody told us yet
    refused = await refund(payer, operator, payment, 100_000)
    assert refused.json()["state"] == "failed"
    assert await money(database, payer.organisation_id) == {"wallet": 50_000}


async def test_a_refund_in_the_dashboard_is_taken_from_the_wallet_or_owed(
    payer: Payer, database: Database
) -> None:
    payment = await payer.paid()
    await spend(database, payer, 150_000)
    payer.fake.do("refund", payment, amount="120000", status="pending")
    await tell_all(payer, payment)
    assert await money(database, payer.organisation_id) == {"refunding": 120_000, "owed": -70_000}
    await payer.paid()
    assert await money(database, payer.organisation_id) == {"wallet": 130_000, "refunding": 120_000}


@pytest.mark.parametrize(("end", "left"), [("won", {"wallet": 200_000}), ("lost", {})])
async def test_a_dispute_freezes_at_once_and_ends_released_or_taken(
    payer: Payer, database: Database, operator: Party, end: str, left: dict[str, int]
) -> None:
    payment = await payer.paid()
    dispute = payer.fake.do("dispute", payment)["id"]
    await tell_all(payer, payment)
    assert await money(database, payer.organisation_id) == {"disputed": 200_000}
    refused = await refund(payer, operator, payment, 1_000)
    assert (refused.status_code, refused.json()["code"]) == (409, "payments.disputed")
    payer.fake.do("end-dispute", dispute, status=end)
    await tell_all(payer, payment)
    assert await money(database, payer.organisation_id) == left
    after = await refund(payer, operator, payment, 1_000)
    told = {"won": (201, None), "lost": (409, "payments.taken_back")}[end]
    assert (after.status_code, after.json().get("code")) == told, "who lost it need not wait for its end"
    assert await in_balance(database)


async def test_what_was_spent_before_the_dispute_is_owed_and_paid_by_the_next_top_up(
    payer: Payer, database: Database
) -> None:
    payment = await payer.paid()
    await spend(database, payer, 150_000)
    dispute = payer.fake.do("dispute", payment)["id"]
    await tell_all(payer, payment)
    assert await money(database, payer.organisation_id) == {"disputed": 200_000, "owed": -150_000}
    await payer.paid()
    assert await money(database, payer.organisation_id) == {"wallet": 50_000, "disputed": 200_000}
    payer.fake.do("end-dispute", dispute, status="won")
    await tell_all(payer, payment)
    assert await money(database, payer.organisation_id) == {"wallet": 250_000}
    assert await in_balance(database)


async def test_who_owes_is_known_from_the_fold_and_what_came_after_it(payer: Payer, database: Database) -> None:
    async def owes() -> bool:
        async with database.reading() as session:
            return payer.organisation_id in await not_even(session, "owed")

    payment = await payer.paid()
    await spend(database, payer, 150_000)
    assert not await owes()
    payer.fake.do("refund", payment, amount="120000", status="pending")
    await tell_all(payer, payment)
    assert await owes()
    await fold(database)
    assert await owes(), "what is folded is not forgotten"
    await payer.paid()
    assert not await owes()
