"""A withdrawn consent was used: a query was settled on cohorts that were out by then. It must never happen."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

# The same count as the one that settling compares under the version's lock; here from what stands written.
_USED = text("""
    SELECT event.id, event.dataset_id, event.actor_organisation_id, line.excluded_seen AS seen, gone.count AS due
    FROM audit_leaf AS leaf
    JOIN event ON event.id = leaf.event_id AND event.name = 'query:settle'
    JOIN query_line AS line ON line.query_id = event.query_id AND line.agreement_id = event.agreement_id
    CROSS JOIN LATERAL (
        SELECT count(*) FROM excluded_cohort AS x
        WHERE x.version_id = line.version_id AND x.created_at <= event.at
            AND (x.purpose IS NULL OR x.purpose = event.purpose)
    ) AS gone
    WHERE leaf.index >= :since AND leaf.index < :until AND gone.count > line.excluded_seen
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    rows = await session.execute(_USED, {"since": span.since, "until": span.until})
    return [
        Cause(
            key=str(row.id),
            dataset_id=row.dataset_id,
            organisation_id=row.actor_organisation_id,
            told={"event": str(row.id), "cohorts_missed": row.due - row.seen},
        )
        for row in rows
    ]


RULE = Rule("consent_used", _look)
