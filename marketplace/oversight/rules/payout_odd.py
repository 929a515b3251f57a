"""The bank told of a payout what fits nothing here: it may have moved money that no books know of."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

_ODD = text("""
    SELECT DISTINCT ON (cause) cause, id, body, price_vnd FROM (
        SELECT id, at, body, price_vnd, encode(sha256(convert_to(jsonb_build_array(body -> 'bank_reference',
            body -> 'reference', body -> 'status', price_vnd, body -> 'why')::text, 'UTF8')), 'hex') AS cause
        FROM event WHERE name = 'payout:odd'
    ) AS odd
    WHERE NOT EXISTS (SELECT FROM alert WHERE rule = 'payout_odd' AND alert.cause = odd.cause)
    ORDER BY cause, at
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    """One alert a line of the bank's and what is odd about it, however often it is read."""
    del span
    return [
        Cause(
            key=row.cause,
            told={
                "event": str(row.id),
                "bank_reference": row.body["bank_reference"],
                "payout_reference": row.body["reference"],
                "bank_said": row.body["status"],
                "amount_vnd": row.price_vnd,
                "odd": row.body["why"],
            },
        )
        for row in await session.execute(_ODD)
    ]


RULE = Rule("payout_odd", _look)
