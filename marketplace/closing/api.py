"""`/api/v1/months`: what ran of each month's close, what is stuck and why, and what two people let stand."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.closing.accepting import decide, propose
from marketplace.closing.actions import try_again
from marketplace.closing.reads import list_months
from marketplace.closing.schemas import AcceptanceBody, AcceptanceDecisionBody, MonthList
from marketplace.closing.walk import due
from marketplace.config import Config
from marketplace.db.base import utcnow


@get("/api/v1/months", operation_id="listMonths")
async def get_months(caller: Caller, session: AsyncSession, config: Config) -> MonthList:
    """Each month's close, step by step, for operator and regulator."""
    caller.require_overseer()
    return await list_months(session, due=await due(session, config, at=utcnow()))


@post("/api/v1/months/{period:str}/retry", status_code=HTTP_202_ACCEPTED, operation_id="retryMonth")
async def post_retry(operator: Operator, session: AsyncSession, config: Config, period: str) -> MonthList:
    """Have a stuck month tried again at the job's next turn, in a minute at most; again is harmless."""
    operator.require("money")
    await try_again(session, period=period, by=operator, at=utcnow())
    return await list_months(session, due=await due(session, config, at=utcnow()))


@post("/api/v1/months/{period:str}/acceptances", operation_id="proposeAcceptance")
async def post_acceptance(
    data: AcceptanceBody, operator: Operator, session: AsyncSession, config: Config, period: str
) -> MonthList:
    """Propose to let a difference stand that nobody can mend: in this month, with these figures."""
    operator.require("money")
    await propose(session, period=period, key=data.difference, reason=data.reason, by=operator, at=utcnow())
    return await list_months(session, due=await due(session, config, at=utcnow()))


@post(
    "/api/v1/months/{period:str}/acceptances/{acceptance_id:uuid}/decision",
    status_code=HTTP_200_OK,
    operation_id="decideAcceptance",
)
async def post_decision(
    data: AcceptanceDecisionBody,
    operator: Operator,
    session: AsyncSession,
    config: Config,
    period: str,
    acceptance_id: UUID,
) -> MonthList:
    """Let stand what another person proposed, or refuse it. If it changes, the month is stuck again."""
    operator.require("money")
    await decide(
        session, period=period, acceptance_id=acceptance_id, accept=data.decision == "accept", reason=data.reason,
        by=operator, at=utcnow(),
    )  # fmt: skip
    return await list_months(session, due=await due(session, config, at=utcnow()))


handlers = [get_months, post_retry, post_acceptance, post_decision]
