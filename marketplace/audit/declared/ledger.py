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


class LetStand(Body, frozen=True):
    step: str
    rule: str
    subject: str
    expected: int | None
    found: int | None
    reason: str
    proposed_by: UUID
    accepted_by: UUID


@event(
    "ledger:close",
    "a period was closed; `let_stand`: differences that two people let stand in it, as its hash covers them",
    version=2,
)
class PeriodClosed(Body, frozen=True):
    """`totals`: currency, debits, credits up to its end."""

    period: str
    trial_balance_sha256: str
    transfers: int
    totals: tuple[tuple[str, int, int], ...]
    let_stand: tuple[LetStand, ...]


@event("ledger:reconcile", "once a day: whether the books agree; `checks`: which do not, and how often each")
class Reconciled(Body, frozen=True):
    day: str
    differences: int
    checks: dict[str, int]
