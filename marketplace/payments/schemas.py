"""What goes over the wire about money that comes in. đồng are whole; USD amounts are cents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.texts import Language, Message

Amount = Annotated[int, Meta(gt=0, le=10**15)]
MethodId = Annotated[str, Meta(min_length=1, max_length=100)]


class TopUpBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`checkout`: on the provider's page; `saved`: from a saved method; `bank`: by transfer, in VND."""

    kind: Literal["checkout", "saved", "bank"]
    amount: Amount
    currency: Literal["VND", "USD"] = "VND"
    method_id: MethodId | None = None
    save_method: bool = False


class TopUpView(Struct, frozen=True, kw_only=True):
    """`url`: where the payer goes on, at the provider. `reference`: what to write on a bank transfer.

    `rate_vnd`: đồng for a dollar, fixed when the order was made. `decline_code`: the provider's word.
    """

    id: UUID
    kind: Literal["checkout", "saved", "auto", "bank"]
    state: Literal["starting", "open", "paid", "failed", "expired"]
    currency: str
    amount: int
    amount_vnd: int
    paid_vnd: int
    rate_vnd: int | None
    reference: str | None
    url: str | None
    decline_code: str | None
    created_at: datetime


class TopUpList(Struct, frozen=True, kw_only=True):
    """Newest first."""

    items: tuple[TopUpView, ...]


class BankLineBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the bank's statement: its own number there, what arrived, the payer's text, the day."""

    bank_reference: Annotated[str, Meta(min_length=1, max_length=100)]
    amount_vnd: Amount
    memo: Annotated[str, Meta(max_length=500)]
    received_on: date


class BankLineView(Struct, frozen=True, kw_only=True):
    """`organisation_id` None: nobody could be found for it yet. `announced_vnd`: what the order was for."""

    id: UUID
    bank_reference: str
    amount_vnd: int
    memo: str
    received_on: date
    organisation_id: UUID | None
    organisation_name: str | None
    top_up_id: UUID | None
    announced_vnd: int | None


class BankLineList(Struct, frozen=True, kw_only=True):
    """Newest first."""

    items: tuple[BankLineView, ...]


class AssignBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organisation_id: UUID


class RefundBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`amount` in the payment's smallest unit; none: all that is left of it."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    amount: Amount | None = None


class RefundView(Struct, frozen=True, kw_only=True):
    id: UUID
    payment_id: str
    amount: int
    amount_vnd: int
    state: Literal["requested", "pending", "paid", "failed"]
    reason: str
    asked_at: datetime


class DisputeView(Struct, frozen=True, kw_only=True):
    id: str
    amount_vnd: int
    state: Literal["open", "won", "lost"]
    reason: str
    opened_at: datetime
    closed_at: datetime | None


class PaymentView(Struct, frozen=True, kw_only=True):
    """Money that arrived, and what of it went back or is disputed."""

    id: str
    source: Literal["stripe", "bank"]
    organisation_id: UUID
    organisation_name: str
    currency: str
    amount: int
    amount_vnd: int
    paid_at: datetime
    refunds: tuple[RefundView, ...]
    disputes: tuple[DisputeView, ...]


class PaymentList(Struct, frozen=True, kw_only=True):
    """Newest first."""

    items: tuple[PaymentView, ...]


class MethodView(Struct, frozen=True, kw_only=True):
    """A saved way to pay: `brand`, last four digits, `expires` YYYY-MM."""

    id: str
    brand: str
    last4: str
    expires: str


class AutoBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Below `floor_vnd` of available money, `amount_vnd` is taken; in a month at most the limit."""

    method_id: MethodId
    floor_vnd: Amount
    amount_vnd: Amount
    month_limit_vnd: Amount


class Stopped(Struct, frozen=True, kw_only=True):
    """Why auto top-up takes nothing now, in both languages: what, why, what next."""

    code: str
    messages: dict[Language, Message]


class AutoView(Struct, frozen=True, kw_only=True):
    """`paused`: why nothing is taken until the settings are sent again. `taken_vnd`: this month, in Viet Nam."""

    method_id: str
    floor_vnd: int
    amount_vnd: int
    month_limit_vnd: int
    taken_vnd: int
    paused: str | None
    stopped: Stopped | None


class BankAccount(Struct, frozen=True, kw_only=True):
    """Where a bank transfer goes to."""

    bank: str
    number: str
    holder: str


class PaymentSettings(Struct, frozen=True, kw_only=True):
    """What a startup can pay with. `frozen_vnd`: disputed; `owed_vnd`: collected from the next top-ups."""

    cards: bool
    usd_rate_vnd: int | None
    least_vnd: int
    bank_account: BankAccount | None
    """Where bank transfers go to; None: only the operator can tell."""
    methods: tuple[MethodView, ...]
    auto: AutoView | None
    frozen_vnd: int
    refunding_vnd: int
    owed_vnd: int


class NoticeTaken(Struct, frozen=True, kw_only=True):
    """`taken` False: it was taken before."""

    taken: bool


class PortalView(Struct, frozen=True, kw_only=True):
    """A page at the provider where methods are seen and changed; it lives for minutes."""

    url: str
