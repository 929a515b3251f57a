"""What ran of each month's close, what is stuck and why."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.closing.accepting import decide, propose
from marketplace.closing.actions import try_again
from marketplace.closing.reads import list_months
from marketplace.closing.schemas import AcceptanceBody, AcceptanceDecisionBody
from marketplace.closing.walk import due
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.web.forms import Form, fitting
from marketplace.web.names import names_of
from marketplace.web.view import View


@get("/months")
async def show_months(view: View, caller: Caller, session: AsyncSession, config: Config) -> Template:
    """For operator and regulator, newest first."""
    caller.require_overseer()
    months = await list_months(session, due=await due(session, config, at=utcnow()))
    said = (each for month in months.items for each in month.acceptances)
    people = {one for each in said for one in (each.proposed_by, each.decided_by)}
    return view.page("months.html", months=months.items, names=(await names_of(session, people=people)).people)


@post("/months/{period:str}/retry", status_code=303)
async def send_retry(view: View, operator: Operator, session: AsyncSession, period: str) -> Redirect:
    """The job's next turn does not wait."""
    del view  # asking for it checks the session's token
    operator.require("money")
    await try_again(session, period=period, by=operator, at=utcnow())
    return Redirect("/months?done=month_retried", status_code=303)


@post("/months/{period:str}/acceptances", status_code=303)
async def send_acceptance(
    view: View, operator: Operator, session: AsyncSession, period: str, form: Form
) -> Redirect:
    """Propose to let a difference stand; another person decides."""
    del view
    operator.require("money")
    body = fitting({"difference": form.text("difference"), "reason": form.text("reason").strip()}, AcceptanceBody)
    await propose(session, period=period, key=body.difference, reason=body.reason, by=operator, at=utcnow())
    return Redirect("/months?done=difference_proposed", status_code=303)


@post("/months/{period:str}/acceptances/{acceptance_id:uuid}/decision", status_code=303)
async def send_decision(
    view: View, operator: Operator, session: AsyncSession, period: str, acceptance_id: UUID, form: Form
) -> Redirect:
    """Let it stand or not; the step is tried again at the job's next turn."""
    del view
    operator.require("money")
    told = {"decision": form.text("decision"), "reason": form.text("reason").strip()}
    body = fitting(told, AcceptanceDecisionBody)
    await decide(
        session, period=period, acceptance_id=acceptance_id, accept=body.decision == "accept", reason=body.reason,
        by=operator, at=utcnow(),
    )  # fmt: skip
    return Redirect("/months?done=difference_decided", status_code=303)


handlers = [show_months, send_retry, send_acceptance, send_decision]
