"""Whoever lets a task of a review lie is told, once a task."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Organisation
from marketplace.audit.actions import record
from marketplace.publications.models import PublicationRow
from marketplace.publications.tasks import CHECKLISTS, WHO


async def remind(session: AsyncSession, *, at: datetime) -> int:
    """An event for each task due before `at`, read by its owner and the operator where it is hers; how many."""
    late = (
        select(PublicationRow)
        .where(
            PublicationRow.state.in_(CHECKLISTS),
            PublicationRow.due_at < at,
            PublicationRow.told_overdue.is_(False),
        )
        .with_for_update(skip_locked=True)
    )
    rows = (await session.scalars(late)).all()
    operators = select(Organisation.id).where(Organisation.kind == "operator")
    for row in rows:
        beside = set(await session.scalars(operators)) if WHO[row.state] == "operator" else set()
        row.told_overdue = True
        await record(
            session,
            "publication:overdue",
            parties={row.organisation_id, *beside},
            body={"publication": str(row.id), "state": row.state, "due_at": row.due_at},
        )
    return len(rows)
