"""The pages of money that comes in: what a startup and an operator can do there, with Stripe and without."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import msgspec
import pytest

from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.payments.provider import Payments
from tests.browser.conftest import Visitor, give_password, page_app
from tests.browser.outline import faults
from tests.marketplace.parties import Make, Party
from tests.marketplace.payments.books import money
from tests.marketplace.payments.payer import Payer

Visit = Callable[..., AbstractAsyncContextManager[Visitor]]
TOP_UPS, PAYMENTS = "/wallet/top-ups", "/wallet/payments"


@pytest.fixture
def visit(database: Database, cards: Config, payments: Payments) -> Visit:
    """The pages in the test's own loop, which the provider's connections belong to."""

    @contextlib.asynccontextmanager
    async def visiting(
        party: Party | None, *, taking: Payments = payments, config: Config = cards
    ) -> AsyncIterator[Visitor]:
        app = page_app(database, config, payments=taking)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://pages.test") as http:
            visitor = Visitor(http)
            if party is not None:
                await give_password(database, party)
                assert (await visitor.sign_in(party.person.email)).status_code == 303
            yield visitor

    return visiting


async def test_without_stripe_the_pages_say_so_and_a_bank_transfer_remains(
    visit: Visit, database: Database, cards: Config, make: Make
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    async with visit(startup, taking=Payments(None)) as visitor:
        assert f'href="{TOP_UPS}"' in (await visitor.get("/wallet")).text
        page = (await visitor.get(TOP_UPS)).text
        assert faults(page) == []
        assert "chưa nhận thẻ" in page
        assert "checkout" not in page
        sent = {"way": "bank", "amount": "300000", "key": str(new_id())}
        made = [(await visitor.send(TOP_UPS, sent)).headers["location"] for _ in range(2)]
        assert made[0] == made[1]
        order = (await visitor.get(made[0])).text
        assert faults(order) == []
        code = re.search(r'class="secret">(SDL\w{8})<', order)
        assert code
        assert "chưa công bố tài khoản" in order
        refused = await visitor.send(TOP_UPS, {"way": "checkout", "amount": "300000"})
        assert (refused.status_code, "không nhận thẻ" in refused.text) == (503, True)
        for wrong in ("", "x", "-5", "1e400", "nan"):
            assert (await visitor.send(TOP_UPS, {"way": "bank", "amount": wrong})).status_code == 400
    named = msgspec.structs.replace(cards, pay_in_account="Ngân hàng A; 0071000999888; CTY SÀN")
    async with visit(startup, taking=Payments(None), config=named) as visitor:
        order = (await visitor.get(made[0])).text
        assert "chưa công bố tài khoản" not in order
        assert all(each in order for each in ("Ngân hàng A", "0071000999888", "CTY SÀN"))
    async with visit(operator, taking=Payments(None)) as visitor:
        assert f'href="{PAYMENTS}"' in (await visitor.get("/wallet")).text
        line = {"bank_reference": str(new_id()), "amount": "290000", "memo": f"nap {code[1]}"}
        assert (await visitor.send("/wallet/bank-lines", line)).status_code == 303
        lost = {**line, "bank_reference": str(new_id()), "memo": "khong ro"}
        assert (await visitor.send("/wallet/bank-lines", lost)).status_code == 303
        page = (await visitor.get(PAYMENTS)).text
        assert faults(page) == []
        waiting = re.findall(r'action="(/wallet/bank-lines/[^"]+/assignment)"', page)
        given = await visitor.send(waiting[0], {"organisation": str(startup.organisation.id)})
        assert given.status_code == 303
    assert await money(database, startup.organisation.id) == {"wallet": 580_000}
    async with visit(startup, taking=Payments(None)) as visitor:
        assert "290.000" in (await visitor.get(made[0])).text
        assert (await visitor.get(PAYMENTS)).status_code == 403
    async with visit(await make.party(database), taking=Payments(None)) as visitor:
        assert (await visitor.get(made[0])).status_code == 404


async def test_with_stripe_a_card_pays_is_saved_fills_up_and_is_forgotten(
    visit: Visit, payer: Payer, database: Database, make: Make
) -> None:
    method = await payer.method()
    async with visit(payer.party) as visitor:
        page = (await visitor.get(TOP_UPS)).text
        assert faults(page) == []
        assert "visa •••• 4242, hết hạn 2031-05" in page
        dollars = await visitor.send(TOP_UPS, {"way": "checkout", "amount": "12.50", "currency": "USD"})
        order = (await visitor.get(dollars.headers["location"])).text
        assert faults(order) == []
        assert "12,50\u00a0USD, 1 USD = 25.000" in order
        assert "312.500" in order
        assert 'href="https://pay.example/' in order
        paid = await visitor.send(TOP_UPS, {"way": f"saved:{method}", "amount": "100000"})
        assert "Tiền đã vào ví" in (await visitor.get(paid.headers["location"])).text
        settings = {"method": method, "floor": "50000", "amount": "100000", "limit": "90000"}
        short = await visitor.send("/wallet/auto-top-up", settings)
        assert (short.status_code, "Hạn mức tháng nhỏ hơn" in short.text) == (400, True)
        assert (await visitor.send("/wallet/auto-top-up", settings | {"limit": "500000"})).status_code == 303
        page = (await visitor.get(TOP_UPS)).text
        assert faults(page) == []
        assert "mỗi tháng nhiều nhất 500.000" in page
        assert (await visitor.send("/wallet/auto-top-up/off", {})).status_code == 303
        assert 'href="https://portal.example/' in (await visitor.send("/wallet/portal", {})).text
        assert (await visitor.send(f"/wallet/methods/{method}/remove", {})).status_code == 303
        assert "4242" not in (await visitor.get(TOP_UPS)).text
    assert await money(database, payer.organisation_id) == {"wallet": 300_000}


async def test_an_operator_refunds_and_both_see_it(
    visit: Visit, payer: Payer, database: Database, make: Make
) -> None:
    payment, operator = await payer.paid(), await make.party(database, kind="operator")
    path = f"{PAYMENTS}/{payment}/refunds"
    async with visit(operator) as visitor:
        assert f'action="{path}"' in (await visitor.get(PAYMENTS)).text
        key = str(new_id())
        for _ in range(2):
            sent = {"key": key, "amount": "50000", "reason": "Nạp nhầm"}
            assert (await visitor.send(path, sent)).status_code == 303
        assert (await visitor.send(path, {"amount": "200001", "reason": "x"})).status_code == 409
        assert (await visitor.send(path, {"amount": "", "reason": ""})).status_code == 400
        page = (await visitor.get(PAYMENTS)).text
        assert faults(page) == []
        assert "Nạp nhầm" in page
    dispute = payer.fake.do("dispute", await payer.paid())
    for event in payer.events(dispute["id"]):
        await payer.tell(event)
    async with visit(payer.party) as visitor:
        page = (await visitor.get(TOP_UPS)).text
        assert faults(page) == []
        assert "Nạp nhầm" in page
        assert "Đang bị phong tỏa" in page
        assert (await visitor.send(path, {"reason": "x"})).status_code == 403
    assert await money(database, payer.organisation_id) == {"wallet": 150_000, "disputed": 200_000}


async def test_an_operator_gives_dollars_back_as_they_are_written(
    visit: Visit, payer: Payer, database: Database, make: Make
) -> None:
    payment, operator = await payer.paid(amount=1_250, currency="USD"), await make.party(database, kind="operator")
    path = f"{PAYMENTS}/{payment}/refunds"
    async with visit(operator) as visitor:
        page = (await visitor.get(PAYMENTS)).text
        assert faults(page) == []
        assert "12,50\u00a0USD → 312.500\u00a0₫" in page
        for wrong in ("0", "0,00", "1,005", "x", "-1"):
            refused = await visitor.send(path, {"currency": "USD", "amount": wrong, "reason": "x"})
            assert refused.status_code == 400, wrong
        assert (await visitor.send(path, {"currency": "USD", "amount": "12,51", "reason": "x"})).status_code == 409
        sent = {"currency": "USD", "amount": "2,50", "reason": "Nạp nhầm"}
        assert (await visitor.send(path, sent)).status_code == 303
        assert "62.500\u00a0₫" in (await visitor.get(PAYMENTS)).text
    assert await money(database, payer.organisation_id) == {"wallet": 250_000}
