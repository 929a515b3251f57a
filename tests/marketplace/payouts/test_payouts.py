"""Owners are paid what they have, once, by two people; what comes back is theirs again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from sqlalchemy import text

from marketplace.accounts.callers import Approver, Operator, narrow
from marketplace.billing.split import rates_at, split
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.invoices.crediting import decide as decide_credit
from marketplace.invoices.crediting import propose as propose_credit
from marketplace.invoices.errors import MonthNotOver
from marketplace.ledger.reads import balance
from marketplace.ledger.reconcile import reconcile
from marketplace.payouts.actions import cancel, propose, release, set_account
from marketplace.payouts.api import handlers
from marketplace.payouts.bank_file import Notice, notices_file, read_notices
from marketplace.payouts.booking import earnings
from marketplace.payouts.errors import AccountMalformed, BalanceFell, BatchOpen, NothingToPay, SameReleaser
from marketplace.payouts.reads import batch_file, read_batch, read_statement
from marketplace.payouts.settling import Report, bank_outside, settle_notices
from tests.conftest import ClientFor
from tests.marketplace.invoices.bills import afterwards, charged, invoice_of, rich, this_month
from tests.marketplace.parties import Make, Party

PRICE_VND = 200_000
NAMES = text("select name from event where :party = any (parties) and name like 'payout:%' order by id")


class Scene(Struct, frozen=True):
    """An owner that earned, with an account at a bank; two people of the operator."""

    startup: Party
    owner: Party
    maker: Operator
    checker: Operator
    checker_party: Party
    earned_vnd: int


def _operator(party: Party) -> Operator:
    return narrow(party.caller, Operator, "operator", None)


@pytest.fixture
async def scene(database: Database, make: Make) -> AsyncIterator[Scene]:
    startup, maker = await rich(database, make)
    owner, checker = await make.party(database, kind="owner"), await make.party(database, kind="operator")
    await charged(database, startup, owner, dataset_id=new_id(), price=PRICE_VND)
    async with database.session() as session:
        await set_account(
            session, by=narrow(owner.caller, Approver, "owner", None), bank_code="970436",
            account_number="0071000123", holder="Bệnh viện Đa khoa", at=utcnow(),
        )  # fmt: skip
    yield Scene(
        startup, owner, _operator(maker), _operator(checker), checker, split(PRICE_VND, rates_at(utcnow())).owner
    )
    async with database.session() as session:  # nothing is left for the next test's batch
        await session.execute(text("update payout_batch set state = 'cancelled', decided_by = proposed_by "
                                   "where state = 'proposed'"))  # fmt: skip


async def proposed(database: Database, scene: Scene) -> UUID:
    async with database.session() as session:
        return await propose(
            session, period=this_month().period, least_vnd=50_000, by=scene.maker, at=afterwards()
        )


async def released(database: Database, scene: Scene) -> tuple[UUID, Any]:
    """The batch, and the owner's payout in it."""
    batch_id = await proposed(database, scene)
    async with database.session() as session:
        await release(session, batch_id=batch_id, by=scene.checker, at=utcnow())
    return batch_id, await payout_of(database, scene, batch_id)


async def payout_of(database: Database, scene: Scene, batch_id: UUID) -> Any:
    async with database.reading() as session:
        batch = await read_batch(session, batch_id)
    (mine,) = [one for one in batch.items if one.owner_id == scene.owner.organisation.id]
    return mine


async def has(database: Database, scene: Scene) -> int:
    async with database.reading() as session:
        return (await balance(session, earnings(scene.owner.organisation.id))).balance


def notice(payout: Any, status: Any = "PAID", **changed: Any) -> Notice:
    told: dict[str, Any] = {
        "bank_reference": f"FT{new_id().hex}", "reference": payout.reference, "status": status,
        "amount_vnd": payout.amount_vnd, "booked_on": date(2026, 12, 3), "reason": "",
    }  # fmt: skip
    return Notice(**(told | changed))


async def told(database: Database, scene: Scene, *notices: Notice) -> Report:
    read = read_notices(notices_file("x", notices))
    async with database.session() as session:
        return await settle_notices(session, read, by=scene.maker, at=utcnow())


async def agrees(
    database: Database, payout: Any, since: datetime | None = None, until: datetime | None = None
) -> bool:
    """Over all that a test does, unless it says of which time."""
    day, now = timedelta(days=1), utcnow()
    async with database.reading() as session:
        bank = await bank_outside(session, since=since or now - day, until=until or now + day)
        found = await reconcile(session, outside=[bank])
    return not [each for each in found if (each.check, each.subject) == ("outside:payouts", payout.reference)]


async def test_an_owner_is_paid_what_it_earned_once_and_the_bank_agrees(database: Database, scene: Scene) -> None:
    batch_id, payout = await released(database, scene)
    assert (payout.amount_vnd, payout.state) == (scene.earned_vnd, "released")
    assert await has(database, scene) == 0
    async with database.session() as session:
        await release(session, batch_id=batch_id, by=scene.checker, at=utcnow())  # again is harmless
        file = await batch_file(session, batch_id)
        assert file == await batch_file(session, batch_id)
    assert f",{payout.reference},970436,0071000123,BENH VIEN DA KHOA,{scene.earned_vnd}\r\n".encode() in file
    line = notice(payout)
    assert (await told(database, scene, line)).paid == 1
    assert (await told(database, scene, line)) == Report(paid=0, returned=0, known=1, odd=())
    assert (await payout_of(database, scene, batch_id)).state == "paid"
    assert await agrees(database, payout)
    names = [row.name for row in await database.all(NAMES, {"party": scene.owner.organisation.id})]
    assert names == ["payout:account", "payout:release", "payout:paid"]


@pytest.mark.parametrize("paid_first", [True, False])
async def test_what_the_bank_returns_is_the_owners_again_and_can_be_paid_anew(
    database: Database, scene: Scene, paid_first: bool
) -> None:
    batch_id, payout = await released(database, scene)
    lines = [notice(payout), notice(payout, "RETURNED", reason="SAI SO TAI KHOAN")]
    for line in lines if paid_first else reversed(lines):
        assert (await told(database, scene, line)).odd == ()
        assert await agrees(database, payout)
    assert (await payout_of(database, scene, batch_id)).reason == "SAI SO TAI KHOAN"
    assert await has(database, scene) == scene.earned_vnd
    _, again = await released(database, scene)
    assert (again.amount_vnd, again.reference != payout.reference) == (scene.earned_vnd, True)


async def test_who_proposed_does_not_release_and_nothing_moves(database: Database, scene: Scene) -> None:
    batch_id = await proposed(database, scene)
    async with database.session() as session:
        with pytest.raises(SameReleaser):
            await release(session, batch_id=batch_id, by=scene.maker, at=utcnow())
    assert await has(database, scene) == scene.earned_vnd
    with pytest.raises(BatchOpen):
        await proposed(database, scene)
    async with database.session() as session:
        await cancel(session, batch_id=batch_id, by=scene.maker, at=utcnow())
        await cancel(session, batch_id=batch_id, by=scene.maker, at=utcnow())
    assert await has(database, scene) == scene.earned_vnd


async def test_many_releases_at_once_move_the_money_once(
    client_for: ClientFor, database: Database, scene: Scene
) -> None:
    batch_id = await proposed(database, scene)
    path = f"/api/v1/payouts/batches/{batch_id}/release"
    async with client_for(*handlers) as client:
        answers = await asyncio.gather(*(client.post(path, token=scene.checker_party.token) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert await has(database, scene) == 0


async def test_a_balance_that_fell_since_it_was_proposed_stops_the_batch(database: Database, scene: Scene) -> None:
    invoice = await invoice_of(database, scene.startup)
    batch_id = await proposed(database, scene)
    async with database.session() as session:
        credit = await propose_credit(
            session,
            invoice_id=invoice.id,
            reason="kiểm thử",
            by=scene.maker,
            at=utcnow(),
            amount_vnd=PRICE_VND // 2,
        )
        await decide_credit(session, credit_id=credit, approve=True, by=scene.checker, at=utcnow())
    with pytest.raises(BalanceFell) as fell:
        async with database.session() as session:
            await release(session, batch_id=batch_id, by=scene.checker, at=utcnow())
    assert fell.value.params["owner"] == scene.owner.organisation.name
    assert (await payout_of(database, scene, batch_id)).state == "proposed"
    left = await has(database, scene)
    assert 0 < left < scene.earned_vnd
    async with database.session() as session:
        await cancel(session, batch_id=batch_id, by=scene.maker, at=utcnow())
    assert (await released(database, scene))[1].amount_vnd == left


async def test_lines_that_fit_nothing_are_named_and_settle_nothing(database: Database, scene: Scene) -> None:
    _, payout = await released(database, scene)
    odd = (
        notice(payout, reference="SDLNOBODY"),
        notice(payout, amount_vnd=payout.amount_vnd + 1),
    )
    report = await told(database, scene, *odd)
    assert [(each.bank_reference, each.why) for each in report.odd] == [
        (odd[0].bank_reference, "unknown_reference"), (odd[1].bank_reference, "other_amount"),
    ]  # fmt: skip
    first, second = notice(payout), notice(payout)
    await told(database, scene, first)
    for _ in range(2):
        (twice,) = (await told(database, scene, second)).odd
    (changed,) = (await told(database, scene, notice(payout, bank_reference=first.bank_reference, reason="X"))).odd
    assert (twice.why, changed.why) == ("twice", "differs")
    assert await agrees(database, payout), "what was refused is no movement that the books lack"


@pytest.mark.parametrize("paid_first", [True, False])
async def test_the_bank_agrees_in_every_window(database: Database, scene: Scene, paid_first: bool) -> None:
    _, payout = await released(database, scene)
    lines = [notice(payout), notice(payout, "RETURNED")]
    bounds = [utcnow() - timedelta(days=1)]
    for line in lines if paid_first else reversed(lines):
        await told(database, scene, line)
        bounds.append(utcnow())
    for since, until in pairwise(bounds):
        assert await agrees(database, payout, since, until)


async def test_a_return_and_its_payment_in_one_file_agree(database: Database, scene: Scene) -> None:
    _, payout = await released(database, scene)
    report = await told(database, scene, notice(payout, "RETURNED"), notice(payout))
    assert (report.returned, report.known, report.odd) == (1, 1, ())
    assert await agrees(database, payout)


async def test_a_statement_opens_earns_pays_and_closes_to_the_dong(database: Database, scene: Scene) -> None:
    _, payout = await released(database, scene)
    await told(database, scene, notice(payout, "RETURNED"))
    async with database.reading() as session:
        shown = await read_statement(session, scene.owner.organisation.id, this_month().period)
        stranger = await read_statement(session, scene.startup.organisation.id, this_month().period)
    (line,) = shown.lines
    assert line.charged_vnd == PRICE_VND
    assert line.charged_vnd == line.owner_vnd + line.state_vnd + line.tax_vnd + line.platform_vnd
    assert shown.opening_vnd + shown.earned_vnd - shown.paid_out_vnd + shown.returned_vnd == shown.closing_vnd
    assert (shown.paid_out_vnd, shown.returned_vnd, shown.closing_vnd) == (scene.earned_vnd,) * 3
    assert stranger.lines == ()


async def test_only_months_that_are_over_and_owners_with_enough_are_paid(database: Database, scene: Scene) -> None:
    async with database.session() as session:
        with pytest.raises(MonthNotOver):
            await propose(session, period=this_month().period, least_vnd=1, by=scene.maker, at=this_month().since)
        for period, least in (("2025-08", 1), (this_month().period, 10**12)):
            with pytest.raises(NothingToPay):
                await propose(session, period=period, least_vnd=least, by=scene.maker, at=afterwards())


@pytest.mark.parametrize(
    "wrong", [{"bank_code": "VCB"}, {"account_number": "1; drop"}, {"holder": "……"}, {"account_number": "1" * 20}]
)
async def test_no_bank_has_such_an_account(database: Database, scene: Scene, wrong: dict[str, str]) -> None:
    by = narrow(scene.owner.caller, Approver, "owner", None)
    good = {"bank_code": "970436", "account_number": "0071000123", "holder": "A"}
    async with database.session() as session:
        with pytest.raises(AccountMalformed) as refused:
            await set_account(session, by=by, at=utcnow(), **(good | wrong))
    assert refused.value.params["path"] in wrong


async def test_who_may_do_what(client_for: ClientFor, database: Database, make: Make, scene: Scene) -> None:
    steward = await make.party(database, kind="owner", roles=["steward"])
    reader = await make.party(database, kind="regulator")
    batch_id, payout = await released(database, scene)
    batch, month = f"/api/v1/payouts/batches/{batch_id}", this_month().period
    account = {"bank_code": "970436", "account_number": "9999", "holder": "A"}
    file = notices_file("x", [notice(payout)])
    async with client_for(*handlers) as client:
        for path in (batch, f"{batch}/file", "/api/v1/payouts", f"/api/v1/statements/{month}"):
            assert (await client.get(path)).status_code == 401
            assert (await client.get(path, token=scene.startup.token)).status_code == 403
        assert (await client.get(batch, token=reader.token)).status_code == 200
        assert (await client.get(f"{batch}/file", token=reader.token)).status_code == 403
        assert (await client.get(f"{batch}/file", token=scene.checker_party.token)).status_code == 200
        mine = (await client.get("/api/v1/payouts", token=scene.owner.token)).json()["items"]
        assert [one["id"] for one in mine] == [str(payout.id)]
        assert (await client.get("/api/v1/payouts", token=steward.token)).json()["items"] == []
        assert (await client.get(f"/api/v1/statements/{month}", token=scene.owner.token)).json()["lines"]
        wrong = await client.get("/api/v1/statements/2026", token=scene.owner.token)
        assert wrong.json()["code"] == "request.invalid"
        assert (await client.post("/api/v1/payouts/account", json=account, token=steward.token)).status_code == 403
        changed = await client.post("/api/v1/payouts/account", json=account, token=scene.owner.token)
        assert (changed.json()["last"], "account_number" in changed.json()) == ("9999", False)
        assert (await client.post("/api/v1/payouts/notices", content=file)).status_code == 401
        assert (await client.post("/api/v1/payouts/notices", content=file, token=reader.token)).status_code == 403
        paid = await client.post("/api/v1/payouts/notices", content=file, token=scene.checker_party.token)
        assert paid.json()["paid"] == 1
        cut = await client.post("/api/v1/payouts/notices", content=file[:-3], token=scene.checker_party.token)
        assert cut.json()["code"] == "payout.file_unreadable"
        nothing = await client.post(
            "/api/v1/payouts/batches", json={"period": "2025-08"}, token=scene.checker_party.token
        )
    assert (nothing.status_code, nothing.json()["code"]) == (409, "payout.nothing")
