"""How owners are paid what they earned."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


@event(
    "payout:account", "an owner set where it is paid; its number is committed to, the last four characters shown"
)
class AccountSet(Body, frozen=True):
    account: UUID
    bank_code: str
    last: str
    number_commitment: str


@event("payout:propose", "one person of the operator proposed a batch of payouts")
class BatchProposed(Body, frozen=True):
    batch: UUID
    period: str
    payouts: int


@event("payout:cancel", "a proposed batch was given up")
class BatchCancelled(Body, frozen=True):
    batch: UUID
    period: str


@event("payout:release", "another person released an owner's payout to the bank")
class PayoutReleased(Body, frozen=True):
    batch: UUID
    payout: UUID
    reference: str


class PayoutSettled(Body, frozen=True):
    payout: UUID
    reference: str
    bank_reference: str


@event("payout:paid", "the bank said that a payout was paid")
class PayoutPaid(PayoutSettled, frozen=True):
    pass


@event("payout:return", "the bank said that a payout came back; the money is the owner's again")
class PayoutReturned(PayoutSettled, frozen=True):
    reason: str


@event("payout:odd", "a line of the bank's file fits nothing here, or another line before it; nothing was booked")
class LineOdd(Body, frozen=True):
    """`status`: PAID or RETURNED; `why`: unknown_reference, other_amount, not_released, twice, differs."""

    reference: str
    bank_reference: str
    status: str
    why: str
