"""The port to whoever takes card money: what we ask of it, and what it says. One adapter: `stripe_provider`.

What is seen is always refetched; what a webhook says only names what to look at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from msgspec import Struct

from marketplace.payments.errors import PaymentsNotConfigured
from marketplace.payouts.carrier import PayoutOrder, SeenTransfer

Currency = Literal["VND", "USD"]
PaymentState = Literal["waiting", "action", "declined", "paid", "cancelled"]
RefundState = Literal["requested", "pending", "paid", "failed"]
DisputeState = Literal["open", "won", "lost"]


class SeenMethod(Struct, frozen=True, kw_only=True):
    """A saved way to pay, as people know it. `customer_id` None: detached. `expires`: YYYY-MM, or empty."""

    id: str
    customer_id: str | None
    brand: str
    last4: str
    expires: str


class SeenRefund(Struct, frozen=True, kw_only=True):
    """`refund_id`: ours, if we asked for it. Amount in the payment's smallest unit."""

    id: str
    refund_id: UUID | None
    amount: int
    state: RefundState
    created_at: datetime


class SeenDispute(Struct, frozen=True, kw_only=True):
    """Amount in the payment's smallest unit. `reason`: the provider's word."""

    id: str
    amount: int
    state: DisputeState
    reason: str
    created_at: datetime


class SeenPayment(Struct, frozen=True, kw_only=True):
    """A payment as it stands, with all that followed. `amount`: received. `top_up_id` None: not ours."""

    id: str
    top_up_id: UUID | None
    currency: Currency
    amount: int
    state: PaymentState
    at: datetime
    decline_code: str = ""
    action_url: str | None = None
    method: SeenMethod | None = None
    refunds: tuple[SeenRefund, ...] = ()
    disputes: tuple[SeenDispute, ...] = ()


class SeenCheckout(Struct, frozen=True, kw_only=True):
    """A page of the provider's where people pay. `url` None: it is over."""

    id: str
    top_up_id: UUID | None
    url: str | None
    expired: bool
    payment_id: str | None


class Order(Struct, frozen=True, kw_only=True):
    """What is to be paid. `amount` in the currency's smallest unit; VND has no smaller one than the đồng."""

    top_up_id: UUID
    organisation_id: UUID
    customer_id: str
    currency: Currency
    amount: int
    return_url: str
    key: str
    """Idempotency key: the same order with the same key is done once."""


class Notice(Struct, frozen=True, kw_only=True):
    """That something happened to an object; which one is all that is believed of it."""

    id: str
    type: str
    about: Literal["payment", "checkout", "method", "transfer", "other"]
    object_id: str
    created_at: datetime


class Provider(Protocol):
    """Calls raise ProviderUnavailable (it may have happened: ask again with the same key) and ProviderRefused."""

    async def new_customer(self, *, organisation_id: UUID, name: str, instead_of: str | None = None) -> str: ...

    async def start_checkout(self, order: Order, *, save_method: bool) -> SeenCheckout: ...

    async def checkout(self, checkout_id: str) -> SeenCheckout: ...

    async def charge(self, order: Order, *, method_id: str, present: bool) -> SeenPayment: ...

    async def cancel(self, payment_id: str) -> SeenPayment: ...

    async def payment(self, payment_id: str) -> SeenPayment: ...

    async def find_payment(self, *, customer_id: str, top_up_id: UUID) -> str | None: ...

    async def refund(self, *, payment_id: str, refund_id: UUID, amount: int, key: str) -> SeenPayment: ...

    async def method(self, method_id: str) -> SeenMethod: ...

    async def forget_method(self, method_id: str) -> None: ...

    async def portal_link(self, *, customer_id: str, return_url: str) -> str: ...

    async def send_transfer(self, order: PayoutOrder) -> SeenTransfer: ...

    async def transfer(self, transfer_id: str) -> SeenTransfer: ...

    async def find_transfer(self, reference: str) -> SeenTransfer | None: ...

    def transfers(self, since: datetime) -> AsyncIterator[SeenTransfer]: ...

    def payments(self, since: datetime) -> AsyncIterator[SeenPayment]: ...

    def notices(self, since: datetime) -> AsyncIterator[Notice]: ...

    def open_notice(self, body: bytes, signature: str) -> Notice: ...


@dataclass(frozen=True)
class Payments:
    """The provider of this home, if there is one."""

    provider: Provider | None

    @property
    def configured(self) -> bool:
        """Whether cards can be taken here at all."""
        return self.provider is not None

    def require(self) -> Provider:
        """Raises PaymentsNotConfigured."""
        if self.provider is None:
            raise PaymentsNotConfigured
        return self.provider
