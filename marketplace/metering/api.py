"""`GET /api/v1/usage`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar import get
from litestar.params import Parameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.db.base import EPOCH
from marketplace.metering.reads import END_OF_TIME, Period, usage
from marketplace.metering.schemas import UsagePage


@get("/api/v1/usage")
async def list_usage(
    caller: Caller,
    session: AsyncSession,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> UsagePage:
    """Charged queries, newest first: a startup's own, an owner's datasets'; everybody else sees totals."""
    caller.require("read")
    return await usage(
        session,
        kind=caller.organisation_kind,
        party_id=caller.organisation_id,
        period=Period(since or EPOCH, until or END_OF_TIME),
        cursor=cursor,
        limit=limit,
    )


handlers = [list_usage]
