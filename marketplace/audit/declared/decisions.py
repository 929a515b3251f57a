"""What every event says that tells a decision of the policy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marketplace.audit.registry import Body


class FactsHead(Body, frozen=True):
    """Head of the tree over the facts that the decision stood on."""

    root: str
    size: int


class Decided(Body, frozen=True):
    """`decision`: as `sealing.told` gives it; its form is the policy's (docs/decisions.md)."""

    decision_id: UUID
    decision: dict[str, Any]
    facts: FactsHead
