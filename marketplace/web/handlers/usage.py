"""Usage by month: a startup's own queries, an owner's datasets; the exchange and the regulator see totals."""

from __future__ import annotations

from litestar import get
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.db.base import utcnow
from marketplace.metering.reads import usage
from marketplace.web.months import choose_month, months_until
from marketplace.web.names import names_of
from marketplace.web.view import View


@get("/usage")
async def show_usage(
    view: View, caller: Caller, session: AsyncSession, month: str | None = None, cursor: str | None = None
) -> Template:
    """One month's charged queries and their totals."""
    caller.require("read")
    now = utcnow()
    chosen = choose_month(month, now)
    page = await usage(
        session,
        kind=caller.organisation_kind,
        party_id=caller.organisation_id,
        period=chosen.period,
        cursor=cursor,
    )
    names = await names_of(
        session,
        people=(row.person_id for row in page.items),
        organisations=(row.organisation_id for row in page.items),
    )
    return view.page("usage.html", page=page, chosen=chosen, months=months_until(now), names=names)


handlers = [show_usage]
