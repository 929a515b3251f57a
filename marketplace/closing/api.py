"""`/api/v1/months`: what ran of each month's close, what is stuck, and why."""

from __future__ import annotations

from litestar import get, post
from litestar.status_codes import HTTP_202_ACCEPTED
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.closing.actions import try_again
from marketplace.closing.reads import list_months
from marketplace.closing.schemas import MonthList
from marketplace.closing.walk import due
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.errors import Forbidden


@get("/api/v1/months", operation_id="listMonths")
async def get_months(caller: Caller, session: AsyncSession, config: Config) -> MonthList:
    """Each month's close, step by step, for operator and regulator."""
    if caller.organisation_kind not in ("operator", "regulator"):
        raise Forbidden(needs="operator")
    caller.require("read")
    return await list_months(session, due=await due(session, config, at=utcnow()))


@post("/api/v1/months/{period:str}/retry", status_code=HTTP_202_ACCEPTED, operation_id="retryMonth")
async def post_retry(operator: Operator, session: AsyncSession, config: Config, period: str) -> MonthList:
    """Have a stuck month tried again at the job's next turn, in a minute at most; again is harmless."""
    operator.require("money")
    await try_again(session, period=period, by=operator, at=utcnow())
    return await list_months(session, due=await due(session, config, at=utcnow()))


handlers = [get_months, post_retry]
