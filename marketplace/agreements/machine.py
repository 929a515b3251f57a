"""States of applications and agreements, and which verb leads where; who may do it is in docs/agreements.md."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

ApplicationState = Literal["submitted", "returned", "accepted", "rejected", "withdrawn"]
ApplicationVerb = Literal["accept", "reject", "return", "resubmit", "withdraw"]
DecisionVerb = Literal["accept", "reject", "return"]
RefusalVerb = Literal["reject", "return"]
AgreementState = Literal["in_force", "expired", "ended"]

TRANSITIONS: dict[tuple[str, str], ApplicationState] = {
    ("submitted", "accept"): "accepted",
    ("submitted", "reject"): "rejected",
    ("submitted", "return"): "returned",
    ("submitted", "withdraw"): "withdrawn",
    ("returned", "resubmit"): "submitted",
    ("returned", "withdraw"): "withdrawn",
}
"""What is not in here is refused with 409; accepted, rejected and withdrawn are final."""


def agreement_state(*, ended_at: datetime | None, expires_at: datetime, at: datetime) -> AgreementState:
    """Where an agreement stands at an instant: expiry is derived from the clock, never stored."""
    if ended_at is not None:
        return "ended"
    return "expired" if at >= expires_at else "in_force"
