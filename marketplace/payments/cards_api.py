"""`/api/v1/webhooks/stripe`, and below `/api/v1/wallet` saved methods, auto top-up, payments and refunds."""

from __future__ import annotations

import contextlib
from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator, Startup, StartupAdmin
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.idempotency import claim
from marketplace.errors import Forbidden
from marketplace.parameters import IdempotencyKey
from marketplace.payments import reads
from marketplace.payments.auto import clear_auto, set_auto
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.methods import portal_link, remove_method
from marketplace.payments.notices import take_notice
from marketplace.payments.provider import Payments
from marketplace.payments.refunds import ask_refund
from marketplace.payments.returns import send_refund
from marketplace.payments.schemas import (
    AutoBody,
    NoticeTaken,
    PaymentList,
    PaymentSettings,
    PortalView,
    RefundBody,
    RefundView,
)

WEBHOOK_BYTES = 512 * 1024


@post("/api/v1/webhooks/stripe", status_code=200, request_max_body_size=WEBHOOK_BYTES, opt={"points": 0})
async def take_webhook(request: Request[Any, Any, Any], database: Database, payments: Payments) -> NoticeTaken:
    """What Stripe tells: signed over the raw body. 503 while it cannot be looked at: Stripe sends it again."""
    provider = payments.require()
    notice = provider.open_notice(await request.body(), request.headers.get("Stripe-Signature", ""))
    return NoticeTaken(taken=await take_notice(database, provider, notice))


@get("/api/v1/wallet/settings")
async def show_settings(
    startup: Startup, session: AsyncSession, config: Config, payments: Payments
) -> PaymentSettings:
    """What the startup can pay with, its auto top-up, and what of its money is frozen or owed."""
    startup.require("read")
    return await reads.settings(session, config, payments, startup.organisation_id)


@post("/api/v1/wallet/auto-top-up", status_code=200)
async def post_auto(
    data: AutoBody, startup_admin: StartupAdmin, session: AsyncSession, config: Config, payments: Payments
) -> PaymentSettings:
    """Fill the wallet by itself from a saved method, within a month's limit."""
    startup_admin.require("money")
    await set_auto(
        session,
        config,
        payments,
        by=startup_admin,
        method_id=data.method_id,
        floor_vnd=data.floor_vnd,
        amount_vnd=data.amount_vnd,
        month_limit_vnd=data.month_limit_vnd,
    )
    return await reads.settings(session, config, payments, startup_admin.organisation_id)


@delete("/api/v1/wallet/auto-top-up")
async def delete_auto(startup_admin: StartupAdmin, session: AsyncSession) -> None:
    """Take nothing by itself any more."""
    startup_admin.require("money")
    await clear_auto(session, by=startup_admin)


@delete("/api/v1/wallet/methods/{method_id:str}")
async def delete_method(
    method_id: str, startup_admin: StartupAdmin, database: Database, payments: Payments
) -> None:
    """Forget a saved method, here and at the provider."""
    startup_admin.require("money")
    await remove_method(database, payments.require(), by=startup_admin, method_id=method_id)


@post("/api/v1/wallet/portal", status_code=200)
async def open_portal(
    startup_admin: StartupAdmin, database: Database, config: Config, payments: Payments
) -> PortalView:
    """A link, good for minutes, to the provider's page of the startup's methods and receipts."""
    startup_admin.require("money")
    return PortalView(url=await portal_link(database, payments.require(), config, by=startup_admin))


@get("/api/v1/wallet/payments")
async def list_payments(caller: Caller, session: AsyncSession) -> PaymentList:
    """The startup's newest payments, with refunds and disputes; for the operator those of all."""
    caller.require("read")
    if caller.organisation_kind not in ("startup", "operator"):
        raise Forbidden(needs="startup:*")
    whose = caller.organisation_id if caller.organisation_kind == "startup" else None
    return PaymentList(items=await reads.payments(session, whose))


@post("/api/v1/wallet/payments/{payment_id:str}/refunds", status_code=201)
async def post_refund(
    payment_id: str,
    data: RefundBody,
    operator: Operator,
    database: Database,
    payments: Payments,
    idempotency_key: IdempotencyKey = None,
) -> Response[RefundView]:
    """Send a payment back, whole or in part; 202 while the provider does not answer (a sweep finishes it)."""
    operator.require("money")
    refund_id = await order_refund(
        database, payments, by=operator, payment_id=payment_id, body=data, key=idempotency_key or str(new_id())
    )
    async with database.reading() as session:
        view = await reads.refund(session, refund_id)
    return Response(view, status_code=202 if view.state == "requested" else 201)


async def order_refund(
    database: Database, payments: Payments, *, by: Operator, payment_id: str, body: RefundBody, key: str
) -> UUID:
    """Set it aside under the key, then go as far with it as the provider lets us. The refund's id."""
    provider = payments.require()
    async with database.session() as session:
        refund_id = await claim(session, by.organisation_id, key, (payment_id, body), new_id())
        await ask_refund(
            session, by=by, refund_id=refund_id, payment_id=payment_id, amount=body.amount, reason=body.reason
        )
    with contextlib.suppress(ProviderUnavailable):
        await send_refund(database, provider, refund_id)
    return refund_id


handlers = [
    take_webhook,
    show_settings,
    post_auto,
    delete_auto,
    delete_method,
    open_portal,
    list_payments,
    post_refund,
]
