"""An organisation is denied again and again within minutes: it may be trying what it must not."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span, Thresholds

# Counted back from each organisation's newest denial of the span; the window it falls into names the burst.
_BURSTS = text("""
    WITH newest AS (
        SELECT event.actor_organisation_id AS organisation_id, max(event.at) AS at
        FROM audit_leaf AS leaf JOIN event ON event.id = leaf.event_id
        WHERE leaf.index >= :since AND leaf.index < :until AND event.name IN ('query:deny', 'quote:deny')
        GROUP BY event.actor_organisation_id
    )
    SELECT newest.organisation_id, newest.at, counted.count,
        CAST(floor(extract(epoch FROM newest.at) / (60 * :minutes)) AS bigint) AS number
    FROM newest CROSS JOIN LATERAL (
        SELECT count(*) FROM event
        WHERE event.at > newest.at - make_interval(mins => :minutes) AND event.at <= newest.at
            AND event.name IN ('query:deny', 'quote:deny')
            AND event.actor_organisation_id = newest.organisation_id
    ) AS counted
    WHERE counted.count >= :denials
""")


async def _look(session: AsyncSession, span: Span, thresholds: Thresholds) -> list[Cause]:
    minutes = thresholds.denials_window_minutes
    asked = {"since": span.since, "until": span.until, "minutes": minutes, "denials": thresholds.denials}
    return [
        Cause(
            key=f"{row.organisation_id}/{row.number}",
            organisation_id=row.organisation_id,
            told={"denials": row.count, "minutes": minutes, "until": row.at.isoformat()},
        )
        for row in await session.execute(_BURSTS, asked)
    ]


RULE = Rule("denial_burst", _look)
