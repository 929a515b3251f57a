"""What ran of each month's close, what is stuck and why."""

from __future__ import annotations

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.closing.actions import try_again
from marketplace.closing.reads import list_months
from marketplace.closing.walk import due
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.errors import Forbidden
from marketplace.web.view import View


@get("/months")
async def show_months(view: View, caller: Caller, session: AsyncSession, config: Config) -> Template:
    """For operator and regulator, newest first."""
    if caller.organisation_kind not in ("operator", "regulator"):
        raise Forbidden(needs="operator")
    caller.require("read")
    months = await list_months(session, due=await due(session, config, at=utcnow()))
    return view.page("months.html", months=months.items)


@post("/months/{period:str}/retry", status_code=303)
async def send_retry(view: View, operator: Operator, session: AsyncSession, period: str) -> Redirect:
    """The job's next turn does not wait."""
    del view  # asking for it checks the session's token
    operator.require("money")
    await try_again(session, period=period, by=operator, at=utcnow())
    return Redirect("/months?done=month_retried", status_code=303)


handlers = [show_months, send_retry]
