"""What a rule is: something that is looked for, and the cause that makes each alert one and the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.db.base import ms_of
from policies.laws import law_at

LAW = "exchange.oversight"


class Thresholds(Struct, frozen=True, kw_only=True):
    """From when on something is worth an alert, by the dated entry of law.json."""

    denials: int
    denials_window_minutes: int
    budget_left_permille: int
    night_from_hour: int
    night_to_hour: int
    incident_left_hours: int


def thresholds_at(at: datetime) -> Thresholds | None:
    """None where no entry is in force."""
    law = law_at(LAW, ms_of(at))
    return None if law is None else msgspec.convert(law.values, Thresholds)


class NoThresholds(LookupError):
    """No entry of the law is in force, and the rule cannot look without one."""


class Span(Struct, frozen=True, kw_only=True):
    """The leaves that a look is about (`until` not included), its instant, after how many hours without a nightly
    audit that is told, and the key under which audits are sealed."""

    since: int
    until: int
    at: datetime
    audit_late_h: int = Config().audit_late_h
    salt_key: bytes = b""

    @property
    def thresholds(self) -> Thresholds:
        """As in force at that instant. Raises NoThresholds."""
        found = thresholds_at(self.at)
        if found is None:
            raise NoThresholds(LAW)
        return found


class Cause(Struct, frozen=True, kw_only=True):
    """`key`: the same cause gives no second alert. `told`: what the alert says, besides whom it is about."""

    key: str
    told: dict[str, Any]
    dataset_id: UUID | None = None
    organisation_id: UUID | None = None


Look = Callable[[AsyncSession, Span], Awaitable[list[Cause]]]


class Rule(Struct, frozen=True):
    name: str
    look: Look
