"""What is proved of usage each night."""

from __future__ import annotations

from typing import Any

from marketplace.audit.registry import Body, event


@event("usage:agree", "each night: whether what startups see, owners see and the ledger has of a day agree")
class UsageAgreed(Body, frozen=True):
    day: str
    agreed: bool
    startups: int
    owners: int
    queries: int
    price_vnd: int
    apart: int
    differences: tuple[dict[str, Any], ...]
    """The first of them: check, subject, expected, found."""
