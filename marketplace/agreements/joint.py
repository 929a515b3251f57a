"""Applications for a joint dataset: both owners have to say yes, and what both grant is what is granted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.errors import GrantsApart, OtherYesMissing, YesAlready
from marketplace.agreements.models import Application
from marketplace.agreements.terms import Granted
from marketplace.linkages.models import Linkage
from marketplace.listings.models import Dataset


class Yes(Struct, frozen=True, kw_only=True):
    """The yes of the owner that decided first, as the application keeps it."""

    owner_id: UUID
    person_id: UUID
    reason: str
    granted: Granted


def yes_before(application: Application, by: Approver) -> Yes | None:
    """What the other owner has said already. Raises YesAlready if it was the caller's own organisation."""
    if application.first_yes is None:
        return None
    said = msgspec.convert(application.first_yes, Yes)
    if said.owner_id == by.organisation_id:
        raise YesAlready
    return said


def first_yes(by: Approver, reason: str, granted: Granted) -> dict[str, Any]:
    """As the application keeps it."""
    said = Yes(owner_id=by.organisation_id, person_id=by.person_id, reason=reason, granted=granted)
    kept: dict[str, Any] = msgspec.to_builtins(said)
    return kept


def granted_by_both(application: Application, by: Approver, granted: Granted) -> Granted:
    """What is granted: of one owner's dataset what it grants, of a joint one what both do.

    Raises OtherYesMissing, YesAlready, GrantsApart."""
    if application.partner_id is None:
        return granted
    before = yes_before(application, by)
    if before is None:
        raise OtherYesMissing
    return both(before.granted, granted)


async def lead_basis_points(session: AsyncSession, application: Application) -> int | None:
    """The lead's part of the owners' share, as both approved it; None of one owner's dataset."""
    rows = select(Linkage.lead_basis_points).join(Dataset, Dataset.linkage_id == Linkage.id)
    return await session.scalar(rows.where(Dataset.id == application.dataset_id))


def both(one: Granted, other: Granted) -> Granted:
    """What both grant: the earlier end, the columns in both, the fewer rows; a purpose that both judged.

    Raises GrantsApart."""
    columns = _common(one.columns, other.columns)
    if columns == ():
        raise GrantsApart
    return Granted(
        expires_at=_earlier(one.expires_at, other.expires_at),
        columns=columns,
        max_rows=min((n for n in (one.max_rows, other.max_rows) if n is not None), default=None),
        purpose_judged=one.purpose_judged and other.purpose_judged,
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """None grants the whole duration that was asked for, which the policy holds against either."""
    return min((at for at in (one, other) if at is not None), default=None)


def _common(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return one if other is None else other
    return tuple(column for column in one if column in other)
