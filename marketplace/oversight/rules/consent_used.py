"""A withdrawn consent was used: a query was settled, or its answer fetched, on cohorts that were out by then.
It must never happen."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

# The same count as the one that settling and fetching compare under the version's lock; here from what stands
# written. An answer of a version that a newer one replaced closes with any withdrawal since its query; what was
# recorded within the hour may have been under way when it was fetched.
_USED = text("""
    SELECT event.id, event.dataset_id, event.actor_organisation_id, line.version_id, line.excluded_seen AS seen,
        gone.count AS due
    FROM audit_leaf AS leaf
    JOIN event ON event.id = leaf.event_id AND event.name IN ('query:settle', 'query:fetch')
    JOIN query_line AS line ON line.query_id = event.query_id AND line.agreement_id = event.agreement_id
    CROSS JOIN LATERAL (
        SELECT count(*) FROM excluded_cohort AS x
        WHERE x.version_id = line.version_id AND x.created_at <= event.at
            AND (x.purpose IS NULL OR x.purpose = event.purpose)
    ) AS gone
    WHERE leaf.index >= :since AND leaf.index < :until AND (gone.count > line.excluded_seen
        OR event.name = 'query:fetch' AND EXISTS (
            SELECT FROM query AS q
            JOIN dataset_version AS v ON v.id = line.version_id
            JOIN dataset_version AS newer ON newer.dataset_id = v.dataset_id AND newer.number > v.number
                AND newer.created_at < event.at - interval '1 hour'
            JOIN consent_event AS w ON w.dataset_id = line.dataset_id AND w.purpose = event.purpose
                AND w.event <> 'given' AND w.recorded_at > q.created_at
                AND w.recorded_at < event.at - interval '1 hour'
            WHERE q.id = event.query_id))
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    rows = await session.execute(_USED, {"since": span.since, "until": span.until})
    return [
        Cause(
            key=str(row.id),
            dataset_id=row.dataset_id,
            organisation_id=row.actor_organisation_id,
            told={"event": str(row.id)}
            | ({"cohorts_missed": row.due - row.seen} if row.due > row.seen else {"version": row.version_id}),
        )
        for row in rows
    ]


RULE = Rule("consent_used", _look)
