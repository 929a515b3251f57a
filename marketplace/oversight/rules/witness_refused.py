"""A witness does not cosign the log's newest checkpoint: it has seen another log under our name. Read from the
events and not by leaf, for such a log may be given none."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

_REFUSED = text("""
    SELECT DISTINCT body ->> 'witness' AS witness, body -> 'status' AS status, body -> 'size' AS size
    FROM event WHERE name = 'log:witness_refuse'
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    """One alert for what a witness says, however often it is asked again."""
    del span
    return [
        Cause(
            key=f"{row.witness}/{row.status}/{row.size}",
            told={"witness": row.witness.partition("+")[0], "cosigned_leaves": row.size},
        )
        for row in await session.execute(_REFUSED)
    ]


RULE = Rule("witness_refused", _look)
