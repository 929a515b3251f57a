"""By the law of today a listed version is of a higher class than it was listed in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import ms_of
from marketplace.oversight.rules.rule import Cause, Rule, Span
from policies.laws import law_at

CLASSES = "decision-20-2025.classes"
RANK = {"internal": 1, "important": 2, "core": 3}
_LISTED = text("""
    SELECT version.id, version.dataset_id, dataset.owner_id, version.state_class,
        CAST(version.body ->> 'persons' AS bigint) AS persons,
        ARRAY(SELECT DISTINCT c ->> 'personal' FROM jsonb_array_elements(version.body -> 'columns') AS c)
            AS personal
    FROM dataset JOIN dataset_version AS version ON version.id = dataset.current_version_id
    WHERE version.state_class IN ('internal', 'important')
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    law = law_at(CLASSES, ms_of(span.at))
    if law is None:
        return []
    causes = []
    for row in await session.execute(_LISTED):
        due = class_of(law.values, row.persons, row.personal)
        if RANK[due] > RANK[row.state_class]:
            told = {"version": row.id, "listed_as": row.state_class, "due": due, "persons_at_least": _reached(
                law.values, due, row.personal)}  # fmt: skip
            key = f"{row.id}/{due}"
            causes.append(Cause(key=key, dataset_id=row.dataset_id, organisation_id=row.owner_id, told=told))
    return causes


def class_of(thresholds: dict[str, Any], persons: int, personal: list[str]) -> str:
    """The class of an undisclosed dataset with these kinds of personal columns (policies/classes)."""
    reached = [
        name
        for kind in personal
        for name, least in thresholds.get(kind, {}).items()
        if persons >= least
    ]  # fmt: skip
    return max(reached, key=lambda name: RANK[name], default="internal")


def _reached(thresholds: dict[str, Any], due: str, personal: list[str]) -> int:
    """The threshold that was passed: not how many persons there are."""
    return min(int(thresholds[kind][due]) for kind in personal if kind in thresholds)


RULE = Rule("class_drift", _look)
