"""The daily reconciliation found that Stripe or the bank says otherwise than the books, or nothing."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

_APART = text("""
    WITH verdict AS (
        SELECT id, at, body ->> 'day' AS day, (
            SELECT string_agg(substr(key, 9) || ' ' || value, '; ' ORDER BY key)
            FROM jsonb_each_text(body -> 'checks') WHERE key LIKE 'outside:%'
        ) AS named FROM event WHERE name = 'ledger:reconcile'
    ), following AS (SELECT *, lag(named) OVER (ORDER BY at, id) AS before FROM verdict)
    SELECT id, day, named FROM following
    WHERE named IS NOT NULL AND named IS DISTINCT FROM before
        AND NOT EXISTS (SELECT FROM alert WHERE rule = 'outside_differs' AND cause = CAST(following.id AS text))
    ORDER BY at
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    """One alert where it is otherwise than the day before."""
    del span
    return [
        Cause(key=str(row.id), told={"event": str(row.id), "day": row.day, "named": row.named})
        for row in await session.execute(_APART)
    ]


RULE = Rule("outside_differs", _look)
