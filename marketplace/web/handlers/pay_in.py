"""A startup's top-ups: on the provider's page, from a saved method, by bank transfer, or by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Startup, StartupAdmin
from marketplace.accounts.reads import operator_name
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.errors import Problem
from marketplace.payments import reads
from marketplace.payments.api import order_top_up
from marketplace.payments.auto import clear_auto, set_auto
from marketplace.payments.methods import portal_link, remove_method
from marketplace.payments.provider import Payments
from marketplace.payments.rates import CENTS
from marketplace.payments.schemas import TopUpBody
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, fraction, whole, wrong
from marketplace.web.view import View


@get("/wallet/top-ups")
async def show_top_ups(
    view: View, startup: Startup, database: Database, config: Config, payments: Payments
) -> Template:
    """Ways to pay in, saved methods, the auto top-up, and what was paid in."""
    startup.require("read")
    return await _page(view, startup, database, config, payments)


@post("/wallet/top-ups", status_code=200)
async def begin_top_up(
    view: View, startup_admin: StartupAdmin, database: Database, config: Config, payments: Payments, form: Form
) -> Template | Redirect:
    """The hidden key makes a second press the same order."""
    startup_admin.require("money")
    try:
        top_up_id = await order_top_up(
            database, config, payments, by=startup_admin, body=_wish(form), key=form.text("key") or str(new_id())
        )
    except Problem as problem:
        typed = form.typed()
        return await _page(view, startup_admin, database, config, payments, problem=problem, typed=typed)
    return Redirect(f"/wallet/top-ups/{top_up_id}", status_code=303)


@get("/wallet/top-ups/{top_up_id:uuid}")
async def show_top_up(
    view: View, startup: Startup, session: AsyncSession, config: Config, top_up_id: UUID
) -> Template:
    """One order: where to go on, what to write on the transfer, or what became of it."""
    startup.require("read")
    order = await reads.top_up(session, organisation_id=startup.organisation_id, top_up_id=top_up_id)
    account = reads.bank_account(config)
    operator = None if account else await operator_name(session)
    return view.page("top_up.html", order=order, account=account, operator=operator)


@post("/wallet/auto-top-up", status_code=200)
async def switch_auto_on(
    view: View, startup_admin: StartupAdmin, database: Database, config: Config, payments: Payments, form: Form
) -> Template | Redirect:
    """From now on; it also ends a pause."""
    startup_admin.require("money")
    try:
        async with database.session() as session:
            await set_auto(
                session,
                config,
                payments,
                by=startup_admin,
                method_id=form.text("method"),
                floor_vnd=form.integer("floor"),
                amount_vnd=form.integer("amount"),
                month_limit_vnd=form.integer("limit"),
            )
    except Problem as problem:
        return await _page(view, startup_admin, database, config, payments, problem=problem)
    return Redirect("/wallet/top-ups?done=auto_on", status_code=303)


@post("/wallet/auto-top-up/off", status_code=303)
async def switch_auto_off(view: View, startup_admin: StartupAdmin, session: AsyncSession) -> Redirect:
    """Nothing is taken by itself any more."""
    startup_admin.require("money")
    await clear_auto(session, by=startup_admin)
    return Redirect("/wallet/top-ups?done=auto_off", status_code=303)


@post("/wallet/methods/{method_id:str}/remove", status_code=200)
async def forget_method(
    view: View,
    startup_admin: StartupAdmin,
    database: Database,
    config: Config,
    payments: Payments,
    method_id: str,
) -> Template | Redirect:
    """Here and at the provider."""
    startup_admin.require("money")
    try:
        await remove_method(database, payments.require(), by=startup_admin, method_id=method_id)
    except Problem as problem:
        return await _page(view, startup_admin, database, config, payments, problem=problem)
    return Redirect("/wallet/top-ups?done=method_removed", status_code=303)


@post("/wallet/portal", status_code=200)
async def open_portal(
    view: View, startup_admin: StartupAdmin, database: Database, config: Config, payments: Payments
) -> Template:
    """The page again, with the link: a form of ours leads to no other site."""
    startup_admin.require("money")
    try:
        url = await portal_link(database, payments.require(), config, by=startup_admin)
    except Problem as problem:
        return await _page(view, startup_admin, database, config, payments, problem=problem)
    return await _page(view, startup_admin, database, config, payments, portal_url=url)


def _wish(form: Form) -> TopUpBody:
    """The form's choice: `way` is checkout, bank, or saved:<method>; dollars are written with their cents."""
    way, _, method_id = form.text("way").partition(":")
    currency = form.text("currency") or "VND"
    written = form.text("amount").strip()
    try:
        amount = (
            int(fraction("amount", written, decimals=2) * CENTS) if currency == "USD" else whole("amount", written)
        )
        return msgspec.convert(
            {
                "kind": way,
                "amount": amount,
                "currency": currency,
                "method_id": method_id or None,
                "save_method": bool(form.text("save")),
            },
            TopUpBody,
        )
    except msgspec.ValidationError as error:
        raise wrong("amount", "form.integer") from error


async def _page(
    view: View,
    caller: Startup | StartupAdmin,
    database: Database,
    config: Config,
    payments: Payments,
    *,
    problem: Problem | None = None,
    typed: Mapping[str, str] = {},
    **more: Any,
) -> Template:
    async with database.reading() as session:
        settings = await reads.settings(session, config, payments, caller.organisation_id)
        orders = await reads.top_ups(session, caller.organisation_id)
        paid = await reads.payments(session, caller.organisation_id)
    return view.page(
        "top_ups.html",
        settings=settings,
        typed=typed,
        orders=orders,
        payments=paid,
        may="admin" in caller.roles,
        key=str(new_id()),
        **what_is_wrong(view, problem),
        **{"portal_url": None, **more},
    )


handlers = [
    show_top_ups,
    begin_top_up,
    show_top_up,
    switch_auto_on,
    switch_auto_off,
    forget_method,
    open_portal,
]
