"""A breach is not yet reported, and its deadline comes near or has passed: one alert for each."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.models import Incident
from marketplace.oversight.rules.rule import Cause, Rule, Span


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    soon = span.at + timedelta(hours=span.thresholds.incident_left_hours)
    rows = await session.scalars(select(Incident).where(Incident.state == "open", Incident.report_by <= soon))
    return [
        Cause(
            key=f"{row.id}/{'late' if row.report_by <= span.at else 'near'}",
            organisation_id=row.organisation_id,
            told={"incident": str(row.id), "report_by": row.report_by.isoformat(), "law": row.law},
        )
        for row in rows
    ]


RULE = Rule("incident_due", _look)
