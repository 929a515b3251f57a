"""`GET /api/v1/usage`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.calendar import day_of
from marketplace.db.base import EPOCH, utcnow
from marketplace.metering.groups import usage_by
from marketplace.metering.reads import END_OF_TIME, Period, usage
from marketplace.metering.schemas import GroupBy, UsageGroups, UsagePage
from marketplace.parameters import Limit


@get("/api/v1/usage")
async def list_usage(
    caller: Caller,
    session: AsyncSession,
    since: datetime | None = None,
    until: datetime | None = None,
    group: GroupBy | None = None,
    first: Annotated[date | None, QueryParameter(name="from")] = None,
    last: Annotated[date | None, QueryParameter(name="to")] = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> UsagePage | UsageGroups:
    """Charged queries, newest first: a startup's own, an owner's datasets'; everybody else sees totals.

    With `group`: their sums by day, dataset or person, `from` one day of Viet Nam `to` another, both included
    (this month unless told)."""
    caller.require("read")
    if group is not None:
        today = day_of(utcnow())
        return await usage_by(
            session,
            kind=caller.organisation_kind,
            party_id=caller.organisation_id,
            group=group,
            first=first or today.replace(day=1),
            last=last or today,
        )
    return await usage(
        session,
        kind=caller.organisation_kind,
        party_id=caller.organisation_id,
        period=Period(since or EPOCH, until or END_OF_TIME),
        cursor=cursor,
        limit=limit,
    )


handlers = [list_usage]
