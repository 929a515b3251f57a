"""A full audit found what does not agree. Its verdict is read from the events and not by its leaf: a log that was
cut or changed may be given no leaves."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

TOLD_LINES = 5
_FAILED = text("""
    SELECT id, body FROM event
    WHERE name = 'log:audit' AND CAST(body ->> 'differences' AS bigint) > 0
        AND NOT EXISTS (SELECT FROM alert WHERE rule = 'audit_failed' AND cause = CAST(event.id AS text))
    ORDER BY at
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    del span
    return [
        Cause(
            key=str(row.id),
            told={
                "event": str(row.id),
                "differences": row.body["differences"],
                "named": "; ".join(row.body["named"][:TOLD_LINES]),
            },
        )
        for row in await session.execute(_FAILED)
    ]


RULE = Rule("audit_failed", _look)
