"""What the books do by themselves."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


@event(
    "hold:expire", "the time of a hold was over, and it was given back; `amount` in the currency's smallest unit"
)
class HoldExpired(Body, frozen=True):
    hold: UUID
    amount: int
    currency: str
