"""What a person may do about a month that is stuck: have it tried again now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.closing.errors import NotStuck

_AGAIN = text("""
    update month_step set next_at = :at where period = :period and state = 'stuck' returning step
""")


async def try_again(session: AsyncSession, *, period: str, by: Operator, at: datetime) -> None:
    """The next walk does not wait for its time; nothing is skipped. Raises NotStuck."""
    step = await session.scalar(_AGAIN, {"period": period, "at": at})
    if step is None:
        raise NotStuck(period=period)
    await record(
        session,
        "month:retry",
        by=by,
        body={"period": period, "step": step},
    )
