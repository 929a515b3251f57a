"""Every call against stripe-mock: what we send fits Stripe's OpenAPI document, what it answers fits us."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import httpx
import msgspec
import pytest

from marketplace.config import Config, Secret
from marketplace.payments.errors import ProviderRefused
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Order, Provider, SeenCheckout, SeenMethod, SeenPayment
from marketplace.payouts.carrier import PayoutOrder, SeenTransfer
from tests.marketplace.payments.real import stripe_mock

ORDER = Order(
    top_up_id=uuid4(), organisation_id=uuid4(), customer_id="cus_1", currency="VND", amount=50_000,
    return_url="https://san.example/wallet", key="one",
)  # fmt: skip
PAYOUT = PayoutOrder(payout_id=uuid4(), destination="acct_1", amount_vnd=90_000, reference="SDL1", key="out")
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
CALLS: dict[str, tuple[type, Callable[[Provider], Awaitable[object]]]] = {
    "new_customer": (str, lambda p: p.new_customer(organisation_id=uuid4(), name="Công ty")),
    "start_checkout": (SeenCheckout, lambda p: p.start_checkout(ORDER, save_method=True)),
    "checkout": (SeenCheckout, lambda p: p.checkout("cs_1")),
    "charge": (SeenPayment, lambda p: p.charge(ORDER, method_id="pm_1", present=False)),
    "charge, present": (SeenPayment, lambda p: p.charge(ORDER, method_id="pm_1", present=True)),
    "cancel": (SeenPayment, lambda p: p.cancel("pi_1")),
    "payment": (SeenPayment, lambda p: p.payment("pi_1")),
    "find_payment": (type(None), lambda p: p.find_payment(customer_id="cus_1", top_up_id=uuid4())),
    "refund": (SeenPayment, lambda p: p.refund(payment_id="pi_1", refund_id=uuid4(), amount=5, key="two")),
    "method": (SeenMethod, lambda p: p.method("pm_1")),
    "forget_method": (type(None), lambda p: p.forget_method("pm_1")),
    "portal_link": (str, lambda p: p.portal_link(customer_id="cus_1", return_url="https://san.example/")),
    "send_transfer": (SeenTransfer, lambda p: p.send_transfer(PAYOUT)),
    "transfer": (SeenTransfer, lambda p: p.transfer("tr_1")),
    "find_transfer": (type(None), lambda p: p.find_transfer("SDL1")),
    "transfers": (list, lambda p: _all(p.transfers(SINCE))),
    "payments": (list, lambda p: _all(p.payments(SINCE))),
    "notices": (list, lambda p: _all(p.notices(SINCE))),
}


async def _all(found: AsyncIterator[object]) -> list[object]:
    return [one async for one in found]


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with stripe_mock() as url:
        yield url


@pytest.fixture
async def provider(mock: str, config: Config) -> AsyncIterator[Provider]:
    here = msgspec.structs.replace(config, stripe_api_key=Secret("sk_test_123"), stripe_api_url=mock)
    async with open_payments(here) as payments:
        yield payments.require()


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_and_its_answer_have_the_shape_of_the_document(provider: Provider, name: str) -> None:
    kind, call = CALLS[name]
    assert isinstance(await call(provider), kind)


async def test_the_lists_give_something_to_read(provider: Provider) -> None:
    assert await _all(provider.payments(SINCE))
    assert await _all(provider.notices(SINCE))


def test_no_call_of_the_port_is_left_out() -> None:
    port = {name for name, _ in inspect.getmembers(Provider, inspect.isfunction) if not name.startswith("_")}
    assert {name.split(",")[0] for name in CALLS} == port - {"open_notice"}


async def test_what_does_not_fit_the_document_would_be_refused(provider: Provider, mock: str) -> None:
    strange = cast(Any, "nothing")
    with pytest.raises(ProviderRefused):
        await provider.refund(payment_id="pi_1", refund_id=uuid4(), amount=strange, key="three")
    async with httpx.AsyncClient(base_url=mock, headers={"Authorization": "Bearer sk_test_123"}) as http:
        assert (await http.post("/v1/refunds", data={"payment_intent": "pi_1", "unknown": "x"})).status_code == 400
