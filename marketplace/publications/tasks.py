"""Who looks at what before a version is listed: checklists, due dates, and which classes the operator looks at."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from marketplace.calendar import day_of

WHO: Final = {"checking": "steward", "approving": "approver", "reviewing": "operator"}
"""Whose the task in a state is."""
CHECKLISTS: Final[dict[str, tuple[str, ...]]] = {
    "checking": ("identifiers_gone", "basis_holds", "meanings_true", "figures_read"),
    "approving": ("risk_accepted", "purposes_fit", "price_set", "warnings_read"),
    "reviewing": ("class_right", "law_in_force", "notice_clear"),
}
"""State → what the person whose task it is has to tick, all of it; words under `check.<item>`."""


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As of a day: `reviewed_classes` are those that the operator's reviewer looks at too."""

    valid_from: date
    reviewed_classes: tuple[str, ...]
    due_days: dict[str, int]
    law: str
    source: str


@cache
def _rules() -> tuple[Rules, ...]:
    return msgspec.json.decode(Path(__file__).with_name("rules.json").read_bytes(), type=tuple[Rules, ...])


def rules_at(at: datetime) -> Rules:
    """The rules in force."""
    return [each for each in _rules() if each.valid_from <= day_of(at)][-1]


def needs_operator(state_class: str | None, at: datetime) -> bool:
    """Whether the operator's reviewer has to approve as well."""
    return state_class in rules_at(at).reviewed_classes


def due(state: str, at: datetime) -> datetime | None:
    """Until when the task of that state is due; None where nobody has one."""
    days = rules_at(at).due_days.get(state)
    return at + timedelta(days=days) if days is not None else None
