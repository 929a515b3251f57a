"""Usage by month: a startup's own queries, an owner's datasets; the exchange and the regulator see totals."""

from __future__ import annotations

from datetime import timedelta

from litestar import get
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.calendar import day_of
from marketplace.db.base import utcnow
from marketplace.metering.groups import usage_by
from marketplace.metering.reads import usage
from marketplace.metering.schemas import GroupBy
from marketplace.web.months import choose_month, months_until
from marketplace.web.names import names_of
from marketplace.web.view import View

GROUPS: dict[str, tuple[GroupBy, ...]] = {
    "startup": ("day", "dataset", "person"),
    "owner": ("day", "dataset"),
    "operator": ("day", "dataset"),
    "regulator": ("day", "dataset"),
}


@get("/usage")
async def show_usage(
    view: View,
    caller: Caller,
    session: AsyncSession,
    month: str | None = None,
    group: GroupBy = "day",
    cursor: str | None = None,
) -> Template:
    """One month's charged queries and their totals, by day, dataset or person."""
    caller.require("read")
    kind, party_id, now = caller.organisation_kind, caller.organisation_id, utcnow()
    chosen = choose_month(month, now)
    page = await usage(session, kind=kind, party_id=party_id, period=chosen.period, cursor=cursor)
    groups = await usage_by(
        session,
        kind=kind,
        party_id=party_id,
        group=group if group in GROUPS[kind] else "day",
        first=day_of(chosen.period.since),
        last=day_of(chosen.period.until - timedelta(seconds=1)),
    )
    names = await names_of(
        session,
        people=(row.person_id for row in page.items),
        organisations=(row.organisation_id for row in page.items),
    )
    return view.page(
        "usage.html",
        page=page,
        groups=groups,
        group_names=GROUPS[kind],
        chosen=chosen,
        months=months_until(now),
        names=names,
    )


handlers = [show_usage]
