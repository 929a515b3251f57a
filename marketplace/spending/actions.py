"""Verbs on limits: set one, take one away. Each writes its event with its change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import StartupAdmin
from marketplace.accounts.models import Person
from marketplace.audit.actions import record
from marketplace.db.base import new_id
from marketplace.errors import NotFound
from marketplace.listings.reads import dataset_id_of
from marketplace.spending.errors import LimitScope
from marketplace.spending.models import SpendLimit
from marketplace.spending.schemas import LimitBody


async def set_limit(session: AsyncSession, *, asked: LimitBody, by: StartupAdmin, at: datetime) -> UUID:
    """From the next query on; what is held already stays. Raises NotFound, LimitScope."""
    dataset_id = None
    if asked.dataset is not None and asked.person_id is not None:
        raise LimitScope(errors=[{"path": "person_id", "code": LimitScope.code, "params": {}}])
    if asked.dataset is not None:
        dataset_id = await dataset_id_of(session, asked.dataset)
    if asked.dataset is not None and dataset_id is None:
        raise NotFound
    if asked.person_id is not None:
        mine = select(Person.id).where(Person.id == asked.person_id, Person.organisation_id == by.organisation_id)
        if await session.scalar(mine) is None:
            raise NotFound
    percents = sorted(set(asked.alert_percent))
    values = {
        "month_vnd": asked.month_vnd,
        "alert_percent": percents,
        "set_by": by.person_id,
        "set_at": at,
    }
    scope = {"organisation_id": by.organisation_id, "dataset_id": dataset_id, "person_id": asked.person_id}
    put = insert(SpendLimit).values(id=new_id(), **scope, **values)
    made = put.on_conflict_do_update(index_elements=[*scope], set_=values).returning(SpendLimit.id)
    limit_id = (await session.execute(made)).scalar_one()
    await _record(session, by, dataset_id, asked.person_id, asked.month_vnd, tuple(percents))
    return limit_id


async def remove_limit(session: AsyncSession, *, limit_id: UUID, by: StartupAdmin) -> None:
    """Nothing stands against a query any more for its sake. Raises NotFound."""
    mine = (SpendLimit.id == limit_id, SpendLimit.organisation_id == by.organisation_id)
    gone = delete(SpendLimit).where(*mine).returning(SpendLimit.dataset_id, SpendLimit.person_id)
    row = (await session.execute(gone)).one_or_none()
    if row is None:
        raise NotFound
    await _record(session, by, row.dataset_id, row.person_id, None, ())


def scope_of(dataset_id: UUID | None, person_id: UUID | None) -> str:
    """organisation | dataset | person"""
    if dataset_id is not None:
        return "dataset"
    return "organisation" if person_id is None else "person"


async def _record(
    session: AsyncSession,
    by: StartupAdmin,
    dataset_id: UUID | None,
    person_id: UUID | None,
    month_vnd: int | None,
    alert_percent: tuple[int, ...],
) -> None:
    await record(
        session,
        "spending:limit",
        by=by,
        parties=(by.organisation_id,),
        body={
            "scope": scope_of(dataset_id, person_id),
            "dataset": dataset_id,
            "person": person_id,
            "month_vnd": month_vnd,
            "alert_percent": alert_percent,
        },
    )
