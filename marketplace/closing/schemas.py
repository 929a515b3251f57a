"""Months' closes on the wire. Instants are RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from marketplace.texts import Language, Message


class Why(Struct, frozen=True, kw_only=True):
    """What stands in the way, in both languages."""

    code: str
    messages: dict[Language, Message]


class StepView(Struct, frozen=True, kw_only=True):
    """`told`: its figures, or the parameters of what stands in the way."""

    step: str
    state: Literal["waiting", "done", "stuck"]
    attempts: int
    tried_at: datetime | None
    next_at: datetime | None
    told: dict[str, Any]
    problem: Why | None


class MonthView(Struct, frozen=True, kw_only=True):
    """`due`: it is over, and its close has not begun."""

    period: str
    state: Literal["due", "running", "stuck", "closed"]
    steps: tuple[StepView, ...]


class MonthList(Struct, frozen=True, kw_only=True):
    """Newest first, of the last twelve that are over."""

    items: tuple[MonthView, ...]
