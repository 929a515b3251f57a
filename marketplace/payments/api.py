"""`/api/v1/wallet/top-ups` and bank lines: how money comes in."""

from __future__ import annotations

import contextlib
from uuid import UUID

from litestar import Response, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator, Startup, StartupAdmin
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.idempotency import claim
from marketplace.parameters import IdempotencyKey
from marketplace.payments import reads
from marketplace.payments.bank import Line, assign_line, book_line
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.provider import Payments
from marketplace.payments.schemas import (
    AssignBody,
    BankLineBody,
    BankLineList,
    BankLineView,
    TopUpBody,
    TopUpList,
    TopUpView,
)
from marketplace.payments.topups import Wish, advance, start_top_up


@post("/api/v1/wallet/top-ups", status_code=201)
async def post_top_up(
    data: TopUpBody,
    startup_admin: StartupAdmin,
    database: Database,
    config: Config,
    payments: Payments,
    idempotency_key: IdempotencyKey = None,
) -> Response[TopUpView]:
    """Begin to pay in: 201 with where to go on; 202 while the provider does not answer, a sweep finishes it."""
    startup_admin.require("money")
    top_up_id = await order_top_up(
        database, config, payments, by=startup_admin, body=data, key=idempotency_key or str(new_id())
    )
    async with database.reading() as session:
        view = await reads.top_up(session, organisation_id=startup_admin.organisation_id, top_up_id=top_up_id)
    return Response(
        view,
        status_code=202 if view.state == "starting" else 201,
        headers={"Location": f"/api/v1/wallet/top-ups/{view.id}"},
    )


async def order_top_up(
    database: Database, config: Config, payments: Payments, *, by: StartupAdmin, body: TopUpBody, key: str
) -> UUID:
    """Write the order down under the key, then go as far with it as the provider lets us. The order's id."""
    wish = Wish(
        kind=body.kind,
        currency=body.currency,
        amount=body.amount,
        method_id=body.method_id,
        save_method=body.save_method,
    )
    async with database.session() as session:
        top_up_id = await claim(session, by.organisation_id, key, body, new_id())
        await start_top_up(session, config, by=by, top_up_id=top_up_id, wish=wish, payments=payments)
    if payments.provider is not None:
        with contextlib.suppress(ProviderUnavailable):
            await advance(database, payments.provider, config, top_up_id)
    return top_up_id


@get("/api/v1/wallet/top-ups")
async def list_top_ups(startup: Startup, session: AsyncSession) -> TopUpList:
    """The startup's newest top-ups."""
    startup.require("read")
    return TopUpList(items=await reads.top_ups(session, startup.organisation_id))


@get("/api/v1/wallet/top-ups/{top_up_id:uuid}")
async def show_top_up(top_up_id: UUID, startup: Startup, session: AsyncSession) -> TopUpView:
    """One of the startup's top-ups as it stands."""
    startup.require("read")
    return await reads.top_up(session, organisation_id=startup.organisation_id, top_up_id=top_up_id)


@post("/api/v1/wallet/bank-lines", status_code=201)
async def post_bank_line(
    data: BankLineBody, operator: Operator, session: AsyncSession, idempotency_key: IdempotencyKey = None
) -> BankLineView:
    """Book a line of the bank's statement: its text names the order, or it waits for `assign`."""
    operator.require("money")
    await claim(session, operator.organisation_id, idempotency_key, data, new_id())
    line = Line(
        bank_reference=data.bank_reference,
        amount_vnd=data.amount_vnd,
        memo=data.memo,
        received_on=data.received_on,
    )
    return await reads.bank_line(session, await book_line(session, by=operator, line=line))


@get("/api/v1/wallet/bank-lines")
async def list_bank_lines(operator: Operator, session: AsyncSession) -> BankLineList:
    """Booked lines: those of nobody first, then the newest."""
    operator.require("money")
    return BankLineList(items=await reads.bank_lines(session))


@post("/api/v1/wallet/bank-lines/{line_id:uuid}/assignment", status_code=200)
async def assign_bank_line(
    line_id: UUID, data: AssignBody, operator: Operator, session: AsyncSession
) -> BankLineView:
    """Credit a line that named nobody to the startup that sent it."""
    operator.require("money")
    await assign_line(session, by=operator, line_id=line_id, organisation_id=data.organisation_id)
    await session.flush()
    return await reads.bank_line(session, line_id)


handlers = [post_top_up, list_top_ups, show_top_up, post_bank_line, list_bank_lines, assign_bank_line]
