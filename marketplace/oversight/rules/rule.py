"""What a rule is: something that is looked for, and the cause that makes each alert one and the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

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


class Span(Struct, frozen=True, kw_only=True):
    """The leaves that a look is about (`until` not included), and its instant."""

    since: int
    until: int
    at: datetime


class Cause(Struct, frozen=True, kw_only=True):
    """`key`: the same cause gives no second alert. `told`: what the alert says, besides whom it is about."""

    key: str
    told: dict[str, Any]
    dataset_id: UUID | None = None
    organisation_id: UUID | None = None


Look = Callable[[AsyncSession, Span, Thresholds], Awaitable[list[Cause]]]


class Rule(Struct, frozen=True):
    name: str
    look: Look


def thresholds_at(at: datetime) -> Thresholds | None:
    """None where none is in force: then nothing that needs one is looked for."""
    law = law_at(LAW, ms_of(at))
    return None if law is None else msgspec.convert(law.values, Thresholds)
