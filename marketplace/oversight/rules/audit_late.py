"""The nightly audit did not run: nobody knows any more whether rows, tiles and books agree."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.rules.rule import Cause, Rule, Span

# An audit that is dated ahead of the clock says nothing about the nights until then.
_NEWEST = text("""
    SELECT coalesce(
        (SELECT max(at) FROM event WHERE name = 'log:audit' AND at <= :now),
        (SELECT min(at) FROM event)
    )
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    """A log that began since then has no audit to wait for. One alert, until there is an audit again."""
    newest = await session.scalar(_NEWEST, {"now": span.at})
    if newest is None or newest > span.at - timedelta(hours=span.audit_late_h):
        return []
    return [Cause(key=newest.isoformat(), told={"audited": newest.isoformat(), "hours": span.audit_late_h})]


RULE = Rule("audit_late", _look)
