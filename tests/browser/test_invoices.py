"""The pages of invoices: the list, the document as it is printed, and the queries behind it."""

from __future__ import annotations

import re

from sqlalchemy import text

from marketplace.accounts.models import Organisation
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.einvoices.identity import self_signed, split_pem
from marketplace.einvoices.sending import hold_up, sign_new
from marketplace.einvoices.xmlsig import parse
from marketplace.web.headers import SECURITY
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.marketplace.invoices.bills import charged, invoice_of, rich
from tests.marketplace.parties import Make


async def test_an_invoice_is_listed_printed_and_leads_to_its_queries(
    visit: Visit, database: Database, make: Make
) -> None:
    startup, operator = await rich(database, make)
    owner, stranger = await make.party(database, kind="owner"), await make.party(database)
    async with database.session() as session:
        organisation = await session.get(Organisation, startup.organisation.id)
        assert organisation is not None
        organisation.tax_code, organisation.name = "0312345678", "Công ty <b>Mua</b>"
    query = await charged(database, startup, owner, dataset_id=new_id(), price=13_011)
    made = await invoice_of(database, startup)
    address = f"/invoices/{made.id}"
    async with visit(startup) as visitor:
        assert '<a href="/invoices">' in (await visitor.get("/wallet")).text
        assert f'<a href="{address}">{made.name}</a>' in (await visitor.get("/invoices")).text
        page = (await visitor.get(address)).text
        assert faults(page) == []
        for said in ("0312345678", "Công ty &lt;b&gt;Mua", "Mười ba nghìn không trăm mười một đồng", "13.011"):
            assert said in page
        assert "Sẽ được ký" in page
        assert (await visitor.get(f"{address}/xml")).status_code == 409
        await sign_new(
            database, split_pem(self_signed("Người bán")), seller_address="", at=utcnow(), retry_after_s=60
        )
        assert "đang chờ mã" in (await visitor.get(address)).text
        xml = await visitor.get(f"{address}/xml")
        assert parse(xml.content).tag == "HDon"
        assert {name: xml.headers.get(name) for name in SECURITY} == SECURITY
        (lines,) = set(re.findall(rf"{address}/items\?dataset_id=[0-9a-f-]+", page))
        items = (await visitor.get(lines)).text
        assert faults(items) == []
        assert f'<a href="/queries/{query}">' in items
    async with visit(operator) as visitor:
        assert made.buyer.name.split("<")[0] in (await visitor.get("/invoices")).text
        assert (await visitor.get(address)).status_code == 200
    async with visit(stranger) as visitor:
        assert "Chưa có hóa đơn" in (await visitor.get("/invoices")).text
        for path in (address, f"{address}/items", f"{address}/xml"):
            assert (await visitor.get(path)).status_code == 404
    async with visit(owner) as visitor:
        assert (await visitor.get("/invoices")).status_code == 403
        assert "/invoices" not in (await visitor.get("/wallet")).text


async def test_what_gets_no_further_is_found_with_its_reason_and_sent_again(
    visit: Visit, database: Database, make: Make
) -> None:
    startup, operator = await rich(database, make)
    await charged(database, startup, await make.party(database, kind="owner"), dataset_id=new_id(), price=13_011)
    made = await invoice_of(database, startup)
    address, link = f"/invoices/{made.id}", f'<a href="/invoices/{made.id}">'
    broken = text(
        "update einvoice set trouble = 'fault', fault = 'KeyError: <x>', attempts = 1 where invoice_id = :id"
    )
    async with visit(operator) as visitor:
        async with database.session() as session:
            await session.execute(broken, {"id": made.id})
        page = (await visitor.get("/invoices?office=unsigned")).text
        assert (faults(page), link in page) == ([], True)
        assert link not in (await visitor.get("/invoices?office=refused")).text
        page = (await visitor.get(address)).text
        assert faults(page) == []
        assert ("lỗi của chính sàn" in page, "KeyError: &lt;x&gt;" in page, "Đã thử 1 lần" in page) == (True,) * 3
        assert f'action="{address}/einvoice/retry"' in page
        assert (await visitor.send(f"{address}/einvoice/retry", {})).status_code == 303
        await sign_new(
            database, split_pem(self_signed("Người bán")), seller_address="", at=utcnow(), retry_after_s=60
        )
        await hold_up(database, state="waiting", trouble="not_configured")
        page = (await visitor.get(address)).text
        assert ("SANDULIEU_EINVOICE_GATEWAY_URL" in page, f'action="{address}/einvoice/retry"' in page) == (
            True,
            True,
        )
        assert (await visitor.send(f"{address}/einvoice/retry", {})).status_code == 303
    async with visit(startup) as visitor:
        page = (await visitor.get(address)).text
        assert ("đang chờ mã" in page, "SANDULIEU_EINVOICE" in page) == (True, False)
        assert (await visitor.send(f"{address}/einvoice/retry", {})).status_code == 403


async def test_every_entry_of_a_month_is_on_the_page_of_the_wallet_s_statement(
    visit: Visit, database: Database, make: Make
) -> None:
    startup, operator = await rich(database, make)
    owner = await make.party(database, kind="owner")
    query = await charged(database, startup, owner, dataset_id=new_id(), price=13_011)
    async with visit(startup) as visitor:
        assert '<a href="/wallet/statement">' in (await visitor.get("/wallet")).text
        page = (await visitor.get("/wallet/statement")).text
        assert faults(page) == []
        for said in ("Sao kê ví", f'<a href="/queries/{query}">', "986.989", "-13.011"):
            assert said in page.replace("\u2212", "-"), said
        assert "Không có bút toán nào" in (await visitor.get("/wallet/statement?month=2026-01")).text
    async with visit(owner) as visitor:
        assert "Sao kê thu nhập" in (await visitor.get("/wallet/statement")).text
    async with visit(operator) as visitor:
        assert "/wallet/statement" not in (await visitor.get("/wallet")).text
        assert (await visitor.get("/wallet/statement")).status_code == 403
