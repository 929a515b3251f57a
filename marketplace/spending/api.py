"""`/api/v1/spending`: what a startup spends in a month, and the limits that its admin sets."""

from __future__ import annotations

from uuid import UUID

from litestar import delete, get, post
from litestar.status_codes import HTTP_200_OK
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Startup, StartupAdmin
from marketplace.db.base import utcnow
from marketplace.spending.actions import remove_limit, set_limit
from marketplace.spending.reads import spending
from marketplace.spending.schemas import LimitBody, SpendingView


@get("/api/v1/spending", operation_id="readSpending")
async def get_spending(session: AsyncSession, startup: Startup) -> SpendingView:
    """This month's spending, the limits, the newest alerts."""
    startup.require("read")
    return await spending(session, organisation_id=startup.organisation_id, at=utcnow())


@post("/api/v1/spending/limits", status_code=HTTP_200_OK, operation_id="setLimit")
async def post_limit(session: AsyncSession, startup_admin: StartupAdmin, data: LimitBody) -> SpendingView:
    """Set a limit, or replace the one of the same scope: the same body again changes nothing."""
    startup_admin.require("money")
    await set_limit(session, asked=data, by=startup_admin, at=utcnow())
    return await spending(session, organisation_id=startup_admin.organisation_id, at=utcnow())


@delete("/api/v1/spending/limits/{limit_id:uuid}", status_code=HTTP_200_OK, operation_id="removeLimit")
async def delete_limit(session: AsyncSession, startup_admin: StartupAdmin, limit_id: UUID) -> SpendingView:
    """Take a limit away."""
    startup_admin.require("money")
    await remove_limit(session, limit_id=limit_id, by=startup_admin)
    return await spending(session, organisation_id=startup_admin.organisation_id, at=utcnow())


handlers: list[ControllerRouterHandler] = [get_spending, post_limit, delete_limit]
