"""A mistake in a form of regulator, operator or owner comes back as it was typed; a step says what it did."""

from __future__ import annotations

import re

from marketplace.db.base import new_id
from marketplace.db.engine import Database
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.browser.test_pages import slug_of
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.invoices.bills import charged, invoice_of, rich
from tests.marketplace.parties import Make

BREACH = {
    "title": "Tệp gửi nhầm cho <b>người</b> khác", "note": "Phát hiện lúc đối chiếu nhật ký.",
    "since": "2026-11-20T08:00", "until": "2026-11-21T08:00", "known_at": "2026-11-22T09:00",
}  # fmt: skip


async def test_a_breach_that_is_told_wrongly_comes_back_and_its_steps_say_what_they_did(
    visit: Visit, sides: Sides, database: Database, make: Make
) -> None:
    regulator = await make.party(database, kind="regulator")
    dataset = {"dataset": str(sides.dataset_id)}
    async with visit(regulator) as visitor:
        wrong = await visitor.send("/incidents", {**BREACH, **dataset, "until": "gần đây"})
        assert wrong.status_code == 400
        assert faults(wrong.text) == []
        for typed in (
            "Tệp gửi nhầm cho &lt;b&gt;",
            "đối chiếu nhật ký.</textarea>",
            "2026-11-22T09:00",
            " selected>",
        ):
            assert typed in wrong.text
        opened = await visitor.send("/incidents", {**BREACH, **dataset})
        page = opened.headers["location"]
        assert page.endswith("?done=incident_opened")
        assert "Đồng hồ báo cáo chạy" in (await visitor.get(page)).text
        one = page.partition("?")[0]
        short = await visitor.send(f"{one}/steps", {"verb": "note", "note": "ngắn"})
        assert (short.status_code, ">ngắn</textarea>" in short.text) == (400, True)
        assert faults(short.text) == []


async def test_what_an_operator_typed_wrongly_of_an_invoice_or_a_refund_comes_back(
    visit: Visit, database: Database, make: Make
) -> None:
    startup, operator = await rich(database, make)
    await charged(database, startup, await make.party(database, kind="owner"), dataset_id=new_id(), price=13_011)
    invoice = f"/invoices/{(await invoice_of(database, startup)).id}"
    async with visit(operator) as visitor:
        wrong = {"buyer_name": "", "buyer_tax_code": "12", "why": "mã số thuế sai"}
        answer = await visitor.send(f"{invoice}/corrections", wrong)
        assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)
        refund = await visitor.send(f"{invoice}/credits", {"amount": "-5", "reason": "đã tính nhầm"})
        assert (refund.status_code, ">đã tính nhầm</textarea>" in refund.text) == (400, True)
        assert faults(refund.text) == []
        version = await visitor.send("/credits/version", {"version": "khong_co", "reason": "rút"})
        assert (version.status_code, 'value="khong_co"' in version.text) == (400, True)


async def test_an_account_and_a_bank_s_file_that_cannot_be_read_lead_back_to_their_page(
    visit: Visit, sides: Sides, database: Database, make: Make
) -> None:
    async with visit(sides.owner) as visitor:
        account = {"bank_code": "970436", "account_number": "không phải số", "holder": "CTY <b>A</b>"}
        wrong = await visitor.send("/payouts/account", account)
        assert (wrong.status_code, 'value="CTY &lt;b&gt;A' in wrong.text) == (400, True)
        right = await visitor.send("/payouts/account", account | {"account_number": "0123456789"})
        assert right.headers["location"] == "/payouts?done=account_set"
    async with visit(await make.party(database, kind="operator")) as visitor:
        told = await visitor.send(
            "/payouts/notices", {}, files={"file": ("x.csv", b"khong,phai\n1,2\n", "text/csv")}
        )
        assert 400 <= told.status_code < 500
        assert "Đề nghị" in told.text
        assert faults(told.text) == []


async def test_a_limit_and_an_offer_that_are_wrong_come_back_as_they_were_typed_and_name_the_field_in_words(
    visit: Visit, sides: Sides, database: Database
) -> None:
    async with visit(sides.startup) as visitor:
        limit = {"scope": f"person:{sides.startup.person.id}", "month_vnd": "nhiều", "alert_percent": "7, 9"}
        wrong = await visitor.send("/spending/limits", limit)
        assert (wrong.status_code, "Trường Số tiền mỗi tháng chưa đúng" in wrong.text) == (400, True)
        for kept in ('value="nhiều"', 'value="7, 9"', f'{sides.startup.person.id}" selected'):
            assert kept in wrong.text
    async with visit(sides.owner) as visitor:
        offer = {
            "name": "vàng",
            "per_query": "1,5",
            "tiers": "x",
            "valid_until": "2027-01-31",
            "month_vnd": "7.000",
        }
        again = await visitor.send(
            f"/datasets/{await slug_of(database, sides)}/offers", offer | {"sla_live": "yes"}
        )
        assert again.status_code == 400
        for kept in ('value="vàng"', ">x</textarea>", 'value="2027-01-31"', 'value="7.000"', "<details open"):
            assert kept in again.text
        assert faults(again.text) == []


async def test_what_was_typed_of_money_that_came_in_or_of_a_withdrawal_stands_there_again(
    visit: Visit, sides: Sides, database: Database, make: Make
) -> None:
    async with visit(await make.party(database, kind="operator")) as visitor:
        line = {"bank_reference": "FT <1>", "amount": "ba trăm", "memo": "nạp ví", "received_on": "2026-11-27"}
        wrong = await visitor.send("/wallet/bank-lines", line)
        assert wrong.status_code == 400
        for kept in ('value="FT &lt;1&gt;"', 'value="ba trăm"', 'value="nạp ví"', 'value="2026-11-27"'):
            assert kept in wrong.text
        assert faults(wrong.text) == []
    async with visit(sides.startup) as visitor:
        wrong = await visitor.send("/wallet/top-ups", {"way": "bank", "amount": "ba trăm"})
        assert (wrong.status_code, 'value="ba trăm"' in wrong.text) == (400, True)
    async with visit(sides.owner) as visitor:
        page = (await visitor.get("/publications")).text
        version = re.search(r'<option value="([^" ]+ [^"]+)">', page)
        assert version
        asked = {"version": version[1], "reason": "outdated", "note": "ngắn"}
        wrong = await visitor.send("/publications/withdrawals", asked)
        assert wrong.status_code == 400
        for kept in (f'value="{version[1]}" selected', 'value="outdated" selected', ">ngắn</textarea>"):
            assert kept in wrong.text
