"""Money that comes in, goes back, or is disputed."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


@event("topup:start", "a startup, or its auto top-up, ordered to pay in")
@event("topup:expire", "nobody paid on the provider's page")
class TopUpOrdered(Body, frozen=True):
    top_up: UUID
    kind: str


@event("topup:pay", "a card payment arrived in the wallet")
class TopUpPaid(Body, frozen=True):
    top_up: UUID
    kind: str
    payment: str


@event("topup:fail", "it brings nothing: `code` is the provider's word")
class TopUpFailed(Body, frozen=True):
    top_up: UUID
    kind: str
    code: str


@event("topup:set_auto", "a startup had its wallet filled up by itself from now on")
class AutoTopUpSet(Body, frozen=True):
    method: str
    floor_vnd: int
    amount_vnd: int
    month_limit_vnd: int


@event("topup:clear_auto", "it had that ended")
class AutoTopUpCleared(Body, frozen=True):
    pass


@event("method:remove", "a startup removed a saved way to pay")
class MethodRemoved(Body, frozen=True):
    method: str


@event("bankline:book", "the operator booked a bank line that named nobody")
@event("bankline:credit", "a bank line's money arrived in a wallet; `announced_vnd`: what its order was for")
class BankLineBooked(Body, frozen=True):
    line: UUID
    bank_reference: str
    top_up: UUID | None = None
    announced_vnd: int | None = None


@event("refund:ask", "the operator set a payment's money aside to go back")
@event("refund:pay", "it went back to whoever paid; without a reason: it was made at the provider")
@event("refund:fail", "it did not, and is the startup's again")
class RefundMade(Body, frozen=True):
    payment: str
    refund: UUID
    reason: str


@event("dispute:open", "the payer's bank wants a payment back: frozen")
@event("dispute:win", "it did not get it: released")
@event("dispute:lose", "it got it")
class DisputeTold(Body, frozen=True):
    payment: str
    dispute: str
    reason: str
