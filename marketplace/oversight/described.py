"""Events with what the rows they name say about them, as terms are made of them: for the index and beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.terms import About, terms_of

REMEMBERED_EVENTS = 8192

# Ids as text: terms are made of their text, and the driver makes no object of each.
COLUMNS = """
    event.at, event.name, CAST(event.parties AS text[]) AS parties,
    CAST(event.actor_person_id AS text), CAST(event.dataset_id AS text), CAST(event.agreement_id AS text),
    event.purpose, event.price_vnd, event.body, version.state_class, version.personal_class AS subject_class,
    ARRAY[dataset.slug, dataset.title_vi, dataset.title_en]
        || ARRAY(SELECT name FROM organisation WHERE id = ANY(event.parties) ORDER BY id) AS names
"""
JOINS = """
    LEFT JOIN dataset ON dataset.id = event.dataset_id
    LEFT JOIN dataset_version AS version
        ON version.id = coalesce(event.version_id, dataset.current_version_id)
"""
_BY_ID = text(f"SELECT event.id, {COLUMNS} FROM event {JOINS} WHERE event.id = ANY(:ids)")
_remembered: dict[UUID, frozenset[str]] = {}
"""Terms of events that no block holds yet: the same are asked for until their block is full."""


def described(row: Any) -> set[str]:
    """The terms of a row of COLUMNS."""
    names = tuple(name for name in row.names if name)
    return terms_of(row, About(state_class=row.state_class, subject_class=row.subject_class, names=names))


async def terms_by_event(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    """The terms of each of these events."""
    known = {each: _remembered[each] for each in ids if each in _remembered}
    missing = [each for each in ids if each not in known]
    for row in await session.execute(_BY_ID, {"ids": missing}) if missing else ():
        known[row.id] = frozenset(described(row))
    if len(_remembered) + len(missing) > REMEMBERED_EVENTS:
        _remembered.clear()
    _remembered.update(known)
    return known
