"""Months' closes on the wire. Instants are RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.closing.standing import Standing
from marketplace.texts import Language, Message


class Why(Struct, frozen=True, kw_only=True):
    """What stands in the way, in both languages."""

    code: str
    messages: dict[Language, Message]


Reason = Annotated[str, Meta(min_length=10, max_length=2_000)]


class AcceptanceBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`difference`: the key of one that a stuck step names; `reason`: why it cannot be mended."""

    difference: Annotated[str, Meta(min_length=1, max_length=64)]
    reason: Reason


class AcceptanceDecisionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another person than who proposed it accepts; anybody of the operator refuses."""

    decision: Literal["accept", "refuse"]
    reason: Reason


class AcceptanceView(Struct, frozen=True, kw_only=True):
    """A difference that one person proposed to let stand in this month. `lapsed`: not found any more as it was.

    Figures in the currency's smallest unit; None: one side has no such row."""

    id: UUID
    step: str
    key: str
    rule: str
    subject: str
    expected: int | None
    found: int | None
    reason: str
    state: Literal["proposed", "accepted", "refused", "lapsed"]
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision_reason: str | None


class StepView(Struct, frozen=True, kw_only=True):
    """`told`: its figures, or the parameters of what stands in the way."""

    step: str
    state: Literal["waiting", "done", "stuck"]
    attempts: int
    tried_at: datetime | None
    next_at: datetime | None
    told: dict[str, Any]
    problem: Why | None
    differences: tuple[Standing, ...]
    """Stuck: the first that nobody let stand."""


class MonthView(Struct, frozen=True, kw_only=True):
    """`due`: it is over, and its close has not begun."""

    period: str
    state: Literal["due", "running", "stuck", "closed"]
    steps: tuple[StepView, ...]
    acceptances: tuple[AcceptanceView, ...]
    """What was proposed to let stand in it, in that order."""


class MonthList(Struct, frozen=True, kw_only=True):
    """Newest first, of the last twelve that are over."""

    items: tuple[MonthView, ...]
