"""An order to pay in, from the wish to the money: each step is written before and after the provider is asked.

Whatever ends between two steps is finished by the sweep through the same `advance`: with the same idempotency key,
and after a look for a payment that was made though nobody heard.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import StartupAdmin
from marketplace.audit.actions import record
from marketplace.billing.actions import CREDIT_MOST_VND
from marketplace.billing.errors import AmountOutOfRange
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.faults import point
from marketplace.payments.accounts import lock_account
from marketplace.payments.customers import customer_known, ensure_customer
from marketplace.payments.effects import WAITING, fail, settle, settle_checkout
from marketplace.payments.errors import AnswerKept, NoSuchMethod, ProviderRefused, WishUnclear
from marketplace.payments.models import SavedMethod, TopUp
from marketplace.payments.provider import Order, Payments, Provider, SeenPayment
from marketplace.payments.rates import in_vnd, usd_rate
from marketplace.payments.references import new_reference

HEARD_AFTER = timedelta(minutes=1)
"""Older than this, an order may have been paid though we never heard: look before asking again."""
CARDS = ("checkout", "saved", "auto")


class Wish(Struct, frozen=True, kw_only=True):
    """What a startup wants to pay in. `amount` in the currency's smallest unit; `method_id`: of saved and auto."""

    kind: str
    currency: str
    amount: int
    method_id: str | None = None
    save_method: bool = False


async def start_top_up(
    session: AsyncSession, config: Config, *, by: StartupAdmin, top_up_id: UUID, wish: Wish, payments: Payments
) -> None:
    """Write the order down; the same id again is harmless. A bank transfer is open at once, with its code.

    Raises PaymentsNotConfigured, WishUnclear, AmountOutOfRange, NoRate, NoSuchMethod.
    """
    if await session.get(TopUp, top_up_id) is not None:
        return
    if wish.kind in CARDS:
        payments.require()
    if (wish.kind == "saved") != (wish.method_id is not None) or (wish.kind, wish.currency) == ("bank", "USD"):
        raise WishUnclear
    order = await new_order(
        session, config, organisation_id=by.organisation_id, top_up_id=top_up_id, wish=wish, by=by.person_id
    )
    await record(
        session,
        "topup:start",
        by=by,
        parties=(by.organisation_id,),
        price_vnd=order.amount_vnd,
        body={"top_up": str(order.id), "kind": order.kind},
    )


async def new_order(
    session: AsyncSession, config: Config, *, organisation_id: UUID, top_up_id: UUID, wish: Wish, by: UUID | None
) -> TopUp:
    """The order's row. Raises AmountOutOfRange, NoRate, NoSuchMethod."""
    rate = usd_rate(config, utcnow()) if wish.currency == "USD" else None
    amount_vnd = in_vnd(wish.amount, rate)
    if not config.top_up_least_vnd <= amount_vnd <= CREDIT_MOST_VND:
        raise AmountOutOfRange(amount_vnd=amount_vnd, least_vnd=config.top_up_least_vnd, most_vnd=CREDIT_MOST_VND)
    await lock_account(session, organisation_id)
    if wish.method_id is not None:
        await require_method(session, organisation_id, wish.method_id)
    bank = wish.kind == "bank"
    order = TopUp(
        id=top_up_id,
        organisation_id=organisation_id,
        kind=wish.kind,
        state="open" if bank else "starting",
        currency=wish.currency,
        amount=wish.amount,
        amount_vnd=amount_vnd,
        rate_vnd=rate,
        reference=new_reference() if bank else None,
        method_id=wish.method_id,
        save_method=wish.save_method,
        created_by=by,
    )
    session.add(order)
    await session.flush()
    return order


async def require_method(session: AsyncSession, organisation_id: UUID, method_id: str) -> None:
    """Raises NoSuchMethod."""
    mine = select(SavedMethod.id).where(
        SavedMethod.id == method_id,
        SavedMethod.organisation_id == organisation_id,
        SavedMethod.removed_at.is_(None),
    )
    if await session.scalar(mine) is None:
        raise NoSuchMethod


async def advance(database: Database, provider: Provider, config: Config, top_up_id: UUID) -> None:
    """The next step of an order that waits. Raises ProviderUnavailable: it waits on, and a sweep comes again."""
    async with database.reading() as session:
        order = await session.get_one(TopUp, top_up_id)
    if order.kind == "bank" or order.state not in WAITING:
        return
    try:
        if order.kind == "checkout" and order.provider_id is None:
            await _open_page(database, provider, config, order)
        elif order.state == "open":
            await _look(database, provider, order)
        else:
            await _take(database, provider, config, order)
    except AnswerKept:
        async with database.session() as session:
            await session.execute(update(TopUp).where(TopUp.id == order.id).values(attempt=order.attempt + 1))
        raise
    except ProviderRefused as refused:
        async with database.session() as session:
            account = await lock_account(session, order.organisation_id)
            row = await session.get_one(TopUp, order.id)
            if row.state == "starting":
                await fail(session, account, row, str(refused.params["reason"]))


async def _look(database: Database, provider: Provider, order: TopUp) -> None:
    """What became of it: the provider's word may have got lost on its way to us."""
    assert order.provider_id is not None  # open: it was asked for
    payment_id: str | None = order.provider_id
    if order.kind == "checkout":
        page = await provider.checkout(order.provider_id)
        payment_id = page.payment_id
        async with database.session() as session:
            await _leave_alone(session, order)
            await settle_checkout(session, page)
    if payment_id is not None:
        await _settle(database, await _closed(provider, order, await provider.payment(payment_id)))


async def _open_page(database: Database, provider: Provider, config: Config, order: TopUp) -> None:
    asked = await _order(database, provider, config, order)
    async with customer_known(database, provider, asked.organisation_id, asked.customer_id):
        page = await provider.start_checkout(asked, save_method=order.save_method)
    point("top-up-sent")
    opened = update(TopUp).where(TopUp.id == order.id, TopUp.provider_id.is_(None), TopUp.state.in_(WAITING))
    async with database.session() as session:
        await session.execute(opened.values(state="open", provider_id=page.id, url=page.url, looked_at=utcnow()))


async def _take(database: Database, provider: Provider, config: Config, order: TopUp) -> None:
    asked = await _order(database, provider, config, order)
    assert order.method_id is not None
    found = None
    async with customer_known(database, provider, asked.organisation_id, asked.customer_id):
        if utcnow() - order.created_at > HEARD_AFTER:
            found = await provider.find_payment(customer_id=asked.customer_id, top_up_id=order.id)
        if found is None:
            seen = await provider.charge(asked, method_id=order.method_id, present=order.kind == "saved")
        else:
            seen = await provider.payment(found)
    point("top-up-sent")
    await _settle(database, seen)
    if seen.state == "declined":
        await _settle(database, await _closed(provider, order, seen))


async def _closed(provider: Provider, order: TopUp, seen: SeenPayment) -> SeenPayment:
    """A saved method that was declined is not tried again behind anybody's back; on a page people may go on."""
    return await provider.cancel(seen.id) if seen.state == "declined" and order.kind != "checkout" else seen


async def _settle(database: Database, seen: SeenPayment) -> None:
    async with database.session() as session:
        await settle(session, seen)
        point("top-up-before-commit")
    point("top-up-settled")


async def _leave_alone(session: AsyncSession, order: TopUp) -> None:
    await session.execute(update(TopUp).where(TopUp.id == order.id).values(looked_at=utcnow()))


async def _order(database: Database, provider: Provider, config: Config, order: TopUp) -> Order:
    return Order(
        top_up_id=order.id,
        organisation_id=order.organisation_id,
        customer_id=await ensure_customer(database, provider, order.organisation_id),
        currency=order.currency,  # type: ignore[arg-type]  # one of the two
        amount=order.amount,
        return_url=f"{public_url(config)}/wallet/top-ups/{order.id}",
        key=f"top-up-{order.id}-{order.attempt}",
    )


def public_url(config: Config) -> str:
    """Where browsers come back to."""
    return (config.public_url or f"http://{config.host}:{config.port}").rstrip("/")
