"""Events were put into the database without the service: the sequencer gave them no leaf."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

_REFUSED = text("""
    SELECT event.id, event.body FROM audit_leaf AS leaf
    JOIN event ON event.id = leaf.event_id AND event.name = 'log:refuse'
    WHERE leaf.index >= :since AND leaf.index < :until
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    """One alert for what was refused together."""
    return [
        Cause(
            key=str(row.id),
            told={"refused_events": row.body["count"], "named": "; ".join(row.body["events"])},
        )
        for row in await session.execute(_REFUSED, {"since": span.since, "until": span.until})
    ]


RULE = Rule("event_refused", _look)
