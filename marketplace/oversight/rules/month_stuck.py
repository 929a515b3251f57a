"""The close of a month is stuck: money, usage and log do not agree, or nobody could be billed."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

_STUCK = text("SELECT period, step, cause, told FROM month_step WHERE state = 'stuck'")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    del span
    return [
        Cause(
            key=f"{row.period}/{row.step}/{row.cause}",
            told={"period": row.period, "step": row.step, "cause": row.cause, "named": row.told.get("named", "")},
        )
        for row in await session.execute(_STUCK)
    ]


RULE = Rule("month_stuck", _look)
