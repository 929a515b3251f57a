"""The nightly audit did not run: nobody knows any more whether rows, tiles and books agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.verdict import last_looked
from marketplace.oversight.rules.rule import Cause, Rule, Span

_BEGUN = datetime(1970, 1, 1, tzinfo=UTC)
# Of before audits were sealed; one that is dated ahead of the clock says nothing about the nights until then.
_UNSEALED = text("""
    SELECT coalesce(
        (SELECT max(at) FROM event WHERE name = 'log:audit' AND at <= :now),
        (SELECT min(at) FROM event)
    )
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    """A log that began since then has no audit to wait for. One alert, until there is an audit again."""
    looked_ms = await last_looked(session, span.salt_key, since=_BEGUN, until=span.at)
    if looked_ms is None:
        newest = await session.scalar(_UNSEALED, {"now": span.at})
    else:
        newest = _BEGUN + timedelta(milliseconds=looked_ms)
    if newest is None or newest > span.at - timedelta(hours=span.audit_late_h):
        return []
    return [Cause(key=newest.isoformat(), told={"audited": newest.isoformat(), "hours": span.audit_late_h})]


RULE = Rule("audit_late", _look)
