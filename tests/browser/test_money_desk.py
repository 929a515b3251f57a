"""Refunds and payouts as pages: one person proposes, another decides, and each sees only what is theirs."""

from __future__ import annotations

import re
from datetime import date

import msgspec

from marketplace.accounts.callers import Approver, Operator, narrow
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.payouts.actions import propose, set_account
from marketplace.payouts.bank_file import Notice, notices_file
from marketplace.payouts.reads import read_batch
from tests.browser.conftest import Visit, Visitor
from tests.browser.outline import faults
from tests.marketplace.invoices.bills import afterwards, charged, invoice_of, rich, this_month
from tests.marketplace.parties import Make

REASON = "Dữ liệu <b>sai</b> quý ba."


async def _key(visitor: Visitor, path: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', (await visitor.get(path)).text)
    assert found
    return found[1]


async def test_a_refund_is_proposed_on_the_invoice_and_decided_by_another(
    visit: Visit, database: Database, make: Make
) -> None:
    startup, maker = await rich(database, make)
    checker, owner = await make.party(database, kind="operator"), await make.party(database, kind="owner")
    await charged(database, startup, owner, dataset_id=new_id(), price=30_000)
    address = f"/invoices/{(await invoice_of(database, startup)).id}"
    async with visit(maker) as visitor:
        assert faults((await visitor.get(address)).text) == []
        fields = {"key": await _key(visitor, address), "reason": REASON, "amount": "12000", "dataset": ""}
        for _ in range(2):  # a second press of the same button
            assert (await visitor.send(f"{address}/credits", fields)).status_code == 303
        for wrong in ({"amount": "0"}, {"amount": "x"}, {"reason": "no"}):
            sent = await visitor.send(f"{address}/credits", fields | {"key": str(new_id())} | wrong)
            assert sent.status_code == 400, sent.text
        page = (await visitor.get("/credits?wanted=proposed")).text
        assert faults(page) == []
        assert page.count("Dữ liệu &lt;b&gt;sai&lt;/b&gt; quý ba.") == 1
        row = page.split(address)[1].split("</tr>")[0]
        assert "Người khác phải quyết định" in row
        assert "/decision" not in row
    async with visit(checker) as visitor:
        row = (await visitor.get("/credits")).text.split(address)[1].split("</tr>")[0]
        (decision,) = re.findall(r"/credits/[0-9a-f-]+/decision", row)
        assert (await visitor.send(decision, {"decision": "perhaps"})).status_code == 400
        assert (await visitor.send(decision, {"decision": "approve"}, csrf="x")).status_code == 403
        assert (await visitor.send(decision, {"decision": "approve"})).status_code == 303
        page = (await visitor.get(address)).text
        assert "12.000" in page, "the credit note stands on the invoice"
        (note,) = re.findall(r'href="(/invoices/[0-9a-f-]+)">Phiếu giảm trừ', page)
        assert "Âm mười hai nghìn đồng" in (await visitor.get(note)).text, "as its e-invoice says"
    async with visit(startup) as visitor:
        assert f"{address}/credits" not in (await visitor.get(address)).text
        assert (await visitor.send(f"{address}/credits", fields)).status_code == 403
        assert (await visitor.send(decision, {"decision": "refuse"})).status_code == 403
        assert "982.000" in (await visitor.get("/wallet")).text, "12,000 of the 30,000 are back"


async def test_a_batch_is_released_by_another_and_the_banks_file_read(
    visit: Visit, database: Database, make: Make
) -> None:
    startup, maker = await rich(database, make)
    checker, owner = await make.party(database, kind="operator"), await make.party(database, kind="owner")
    await charged(database, startup, owner, dataset_id=new_id(), price=200_000)
    account = {"bank_code": "970436", "account_number": "0071000999", "holder": "Benh vien"}
    async with visit(owner) as visitor:
        assert "Chưa có tài khoản" in (await visitor.get("/payouts")).text
        assert (await visitor.send("/payouts/account", account | {"bank_code": "x"})).status_code == 400
    async with database.session() as session:
        await set_account(session, by=narrow(owner.caller, Approver, "owner", None), at=utcnow(), **account)
        batch_id = await propose(
            session, period=this_month().period, least_vnd=50_000, at=afterwards(),
            by=narrow(maker.caller, Operator, "operator", None),
        )  # fmt: skip
    address = f"/payouts/batches/{batch_id}"
    async with visit(maker) as visitor:
        listed, page = (await visitor.get("/payouts")).text, (await visitor.get(address)).text
        assert (faults(listed), faults(page)) == ([], [])
        assert address in listed
        assert "Người khác phải duyệt" in page
        assert f"{address}/release" not in page
        assert (await visitor.send(f"{address}/release", {})).status_code == 409
        assert (await visitor.get(f"{address}/file")).status_code == 409
        fields = {"key": await _key(visitor, "/payouts"), "period": "2020-01"}
        assert (await visitor.send("/payouts/batches", fields)).status_code == 409, "one is open"
    async with visit(checker) as visitor:
        assert (await visitor.send(f"{address}/release", {})).status_code == 303
        assert "Đã duyệt, đang chuyển" in (await visitor.get(address)).text
        assert b"0071000999" in (await visitor.get(f"{address}/file")).content
        async with database.reading() as session:
            batch = await read_batch(session, batch_id)
        (mine,) = [one for one in batch.items if one.owner_id == owner.organisation.id]
        paid = Notice(
            bank_reference=f"FT{new_id().hex}", reference=mine.reference, status="PAID",
            amount_vnd=mine.amount_vnd, booked_on=date(2026, 12, 3), reason="",
        )  # fmt: skip
        file = {"file": ("notices.csv", notices_file("x", [paid]), "text/csv")}
        read = (await visitor.send("/payouts/notices", {}, files=file)).text
        assert "Đã chi trả 1, bị trả lại 0, đã biết từ trước 0." in read
        assert "đã biết từ trước 1." in (await visitor.send("/payouts/notices", {}, files=file)).text
    async with visit(owner) as visitor:
        page = (await visitor.get("/payouts")).text
        assert faults(page) == []
        assert "Tiền đã trở lại thu nhập" not in page
        assert (mine.reference in page, "Đã nhận tiền" in page, "0999" in page) == (True, True, True)
        assert "0071000999" not in page, "of the number only its end"
        shares = (await visitor.get("/payouts/statement")).text
        assert faults(shares) == []
        assert "200.000" in shares
        assert (await visitor.get(address)).status_code == 403
        assert (await visitor.get("/payouts/statement?month=x")).status_code == 400
    back = msgspec.structs.replace(paid, bank_reference=f"FT{new_id().hex}", status="RETURNED", reason="TK DONG")
    async with visit(checker) as visitor:
        file = {"file": ("notices.csv", notices_file("y", [back]), "text/csv")}
        assert "bị trả lại 1" in (await visitor.send("/payouts/notices", {}, files=file)).text
    async with visit(owner) as visitor:
        page = (await visitor.get("/payouts")).text
        assert faults(page) == []
        assert ("TK DONG" in page, "Tiền đã trở lại thu nhập" in page) == (True, True)
    async with visit(startup) as visitor:
        for path in ("/payouts/statement", address, f"{address}/file"):
            assert (await visitor.get(path)).status_code == 403
