"""What an application asks for, and the bounds of it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Person
from marketplace.errors import Invalid

DURATION_DAYS = (1, 1095)
JUSTIFICATION_CHARACTERS = (20, 4000)
REASON_CHARACTERS = (3, 2000)
PEOPLE = (1, 50)


class Terms(Struct, frozen=True, kw_only=True):
    """The startup's request: why, for how long (days), and which of its people may ask."""

    purpose: str
    justification: str
    duration_days: int
    people: tuple[uuid.UUID, ...]


def _bounds(path: str, code: str, value: int, bounds: tuple[int, int]) -> list[dict[str, Any]]:
    low, high = bounds
    if low <= value <= high:
        return []
    return [{"path": path, "code": code, "params": {"low": low, "high": high, "have": value}}]


async def check_terms(
    session: AsyncSession, *, terms: Terms, startup_id: uuid.UUID, purposes: tuple[str, ...]
) -> None:
    """Raises Invalid with every bound that the terms break, not only the first."""
    errors = [
        *_bounds("duration_days", "application.duration", terms.duration_days, DURATION_DAYS),
        *_bounds(
            "justification",
            "application.justification_length",
            len(terms.justification.strip()),
            JUSTIFICATION_CHARACTERS,
        ),
        *_bounds("people", "application.people_count", len(set(terms.people)), PEOPLE),
    ]
    if terms.purpose not in purposes:
        params = {"purpose": terms.purpose, "purposes": ", ".join(purposes)}
        errors.append({"path": "purpose", "code": "application.purpose_not_offered", "params": params})
    if not errors and await _colleagues(session, terms.people, startup_id) < len(set(terms.people)):
        errors.append({"path": "people", "code": "application.people_not_yours", "params": {}})
    if errors:
        raise Invalid(errors=errors)


async def _colleagues(session: AsyncSession, people: tuple[uuid.UUID, ...], startup_id: uuid.UUID) -> int:
    rows = select(func.count()).where(
        Person.id.in_(people), Person.organisation_id == startup_id, Person.deactivated_at.is_(None)
    )
    return await session.scalar(rows) or 0


def check_reason(reason: str, *, required: bool = True) -> str:
    """The reason without blanks around it. Raises Invalid when too short, too long or missing."""
    text = reason.strip()
    if not text and not required:
        return text
    if errors := _bounds("reason", "application.reason_length", len(text), REASON_CHARACTERS):
        raise Invalid(errors=errors)
    return text


def agreed_expiry(*, wanted: datetime | None, duration_days: int, at: datetime) -> datetime:
    """The owner's expiry, or the whole duration asked for. Raises Invalid when past, or later than asked."""
    latest = at + timedelta(days=duration_days)
    if wanted is None:
        return latest
    if wanted.tzinfo is None or not at < wanted <= latest:
        params = {"latest": latest.isoformat()}
        raise Invalid(errors=[{"path": "expires_at", "code": "application.expiry", "params": params}])
    return wanted
