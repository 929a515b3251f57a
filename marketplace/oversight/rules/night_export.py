"""Answers or the log were taken out at night, in Viet Nam's time: once an organisation and night.

The regulator reads the log at any hour, for that is its work: what it takes is in the log, no alert to itself."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

TAKEN = ["query:fetch", "log:export"]
_AT_NIGHT = text("""
    SELECT told.organisation_id, told.night, count(*) AS count, min(told.id::text) AS first
    FROM (
        SELECT event.id, event.actor_organisation_id AS organisation_id,
            CAST(local.at - make_interval(hours => :ends) AS date) AS night, extract(hour FROM local.at) AS hour
        FROM audit_leaf AS leaf
        JOIN event ON event.id = leaf.event_id AND event.name = ANY(:taken)
        CROSS JOIN LATERAL (SELECT event.at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS at) AS local
        WHERE leaf.index >= :since AND leaf.index < :until AND NOT EXISTS (
            SELECT FROM organisation WHERE id = event.actor_organisation_id AND kind = 'regulator')
    ) AS told
    WHERE told.hour >= :begins OR told.hour < :ends
    GROUP BY told.organisation_id, told.night
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    thresholds = span.thresholds
    asked = {
        "since": span.since, "until": span.until, "taken": TAKEN, "begins": thresholds.night_from_hour,
        "ends": thresholds.night_to_hour,
    }  # fmt: skip
    return [
        Cause(
            key=f"{row.organisation_id}/{row.night}",
            organisation_id=row.organisation_id,
            told={"night": str(row.night), "first_event": row.first},
        )
        for row in await session.execute(_AT_NIGHT, asked)
    ]


RULE = Rule("night_export", _look)
