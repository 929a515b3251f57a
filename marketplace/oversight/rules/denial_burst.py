"""An organisation is denied again and again within minutes: it may be trying what it must not."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

# Of every denial since the span's first, those of so many minutes up to it: what follows a burst does not hide it.
# The window of the clock that its last denial falls into names the burst.
_BURSTS = text("""
    WITH denied AS (
        SELECT event.actor_organisation_id AS organisation_id, min(event.at) AS since, max(event.at) AS until
        FROM audit_leaf AS leaf JOIN event ON event.id = leaf.event_id
        WHERE leaf.index >= :since AND leaf.index < :until AND event.name IN ('query:deny', 'quote:deny')
        GROUP BY event.actor_organisation_id
    ), counted AS (
        SELECT denied.organisation_id, denied.since, event.at, count(*) OVER (
            PARTITION BY denied.organisation_id ORDER BY event.at
            RANGE BETWEEN make_interval(mins => :minutes) - interval '1 microsecond' PRECEDING AND CURRENT ROW
        ) AS count
        FROM denied JOIN event ON event.actor_organisation_id = denied.organisation_id
            AND event.at > denied.since - make_interval(mins => :minutes)
            AND event.at < denied.until + make_interval(mins => :minutes)
            AND event.name IN ('query:deny', 'quote:deny')
    )
    SELECT organisation_id, max(at) AS at, max(count) AS count,
        CAST(floor(extract(epoch FROM at) / (60 * :minutes)) AS bigint) AS number
    FROM counted WHERE count >= :denials AND at >= since
    GROUP BY 1, 4
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    thresholds = span.thresholds
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
