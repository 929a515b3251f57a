"""What owners earned and how they are paid: an owner's own, and the operator's batches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver, Caller, Operator, Owner
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.errors import Forbidden, NotFound, Problem
from marketplace.payouts.actions import cancel, propose, release, require_carried, set_account
from marketplace.payouts.bank_file import read_notices
from marketplace.payouts.reads import (
    batch_file,
    list_batches,
    list_odd,
    list_payouts,
    read_account,
    read_batch,
    read_statement,
)
from marketplace.payouts.schemas import AccountView
from marketplace.payouts.settling import Report, settle_notices
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form
from marketplace.web.headers import as_file
from marketplace.web.months import Month, choose_month, month_of, months_until
from marketplace.web.names import names_of
from marketplace.web.view import View

NOTICE_BYTES = 10_000_000
ACCOUNT = ("bank_code", "account_number", "holder")


@get("/payouts")
async def show_payouts(view: View, caller: Caller, session: AsyncSession, config: Config) -> Template:
    """An owner's: where it is paid, and what was. Of operator and regulator: the batches."""
    caller.require("read")
    if caller.organisation_kind == "owner":
        return await _own(view, caller, session, config)
    if caller.organisation_kind not in ("operator", "regulator"):
        raise Forbidden(needs="owner")
    return await _batches(view, caller, session)


@post("/payouts/account", status_code=200)
async def send_account(
    view: View, approver: Approver, session: AsyncSession, config: Config, form: Form
) -> Template | Redirect:
    """Set where the organisation is paid from the next batch on."""
    approver.require("money")
    entered = {name: form.text(name).strip() for name in ACCOUNT}
    try:
        async with session.begin_nested():
            require_carried(entered["bank_code"], config)
            await set_account(session, by=approver, at=utcnow(), **entered)
    except Problem as problem:
        return await _own(view, approver, session, config, problem, entered)
    return Redirect("/payouts?done=account_set", status_code=303)


@get("/payouts/statement")
async def show_shares(view: View, owner: Owner, session: AsyncSession, month: str | None = None) -> Template:
    """A month: what each dataset was charged and how it was shared."""
    owner.require("read")
    now = utcnow()
    chosen = choose_month(month, now)
    return view.page(
        "payout_statement.html",
        statement=await read_statement(session, owner.organisation_id, chosen.id),
        chosen=chosen,
        months=months_until(now),
    )


@post("/payouts/batches", status_code=303)
async def start_batch(
    view: View, operator: Operator, session: AsyncSession, config: Config, form: Form
) -> Redirect:
    """Propose one; another person releases it. The hidden key makes a second press the same batch."""
    operator.require("money")
    period = form.text("period")
    fresh = new_id()
    batch_id = await claim(
        session,
        organisation_id=operator.organisation_id,
        key=form.text("key"),
        body=msgspec.json.encode(("payouts", period)),
        subject_id=fresh,
    )
    if batch_id == fresh:
        least = config.payout_least_vnd
        await propose(session, period=period, least_vnd=least, by=operator, at=utcnow(), batch_id=batch_id)
    return Redirect(f"/payouts/batches/{batch_id}?done=batch_proposed", status_code=303)


@get("/payouts/batches/{batch_id:uuid}")
async def show_batch(view: View, caller: Caller, session: AsyncSession, batch_id: UUID) -> Template:
    """One batch with each payout."""
    caller.require_overseer()
    batch = await read_batch(session, batch_id)
    return view.page(
        "payout_batch.html",
        batch=batch,
        names=(await names_of(session, people=(batch.proposed_by, batch.decided_by))).people,
    )


@post("/payouts/batches/{batch_id:uuid}/release", status_code=303)
async def release_batch(view: View, operator: Operator, session: AsyncSession, batch_id: UUID) -> Redirect:
    """What another person proposed goes to the bank's file."""
    operator.require("money")
    await release(session, batch_id=batch_id, by=operator, at=utcnow())
    return Redirect(f"/payouts/batches/{batch_id}?done=batch_released", status_code=303)


@post("/payouts/batches/{batch_id:uuid}/cancel", status_code=303)
async def cancel_batch(view: View, operator: Operator, session: AsyncSession, batch_id: UUID) -> Redirect:
    """Give it up."""
    operator.require("money")
    await cancel(session, batch_id=batch_id, by=operator, at=utcnow())
    return Redirect(f"/payouts/batches/{batch_id}?done=batch_cancelled", status_code=303)


@get("/payouts/batches/{batch_id:uuid}/file")
async def download_batch(view: View, operator: Operator, session: AsyncSession, batch_id: UUID) -> Response[bytes]:
    """The bank's file of a released batch."""
    del view  # asking for it checks the session's token
    operator.require("money")
    return as_file(await batch_file(session, batch_id), "text/csv", f"{batch_id}.csv")


@post("/payouts/notices", status_code=200, request_max_body_size=NOTICE_BYTES)
async def send_notices(view: View, operator: Operator, session: AsyncSession, form: Form) -> Template:
    """The bank's file of what was paid and what came back; the same file again changes nothing."""
    operator.require("money")
    try:
        notices = read_notices(await form.file("file").read())
        async with session.begin_nested():
            report = await settle_notices(session, notices, by=operator, at=utcnow())
    except Problem as problem:
        return await _batches(view, operator, session, problem=problem)
    return await _batches(view, operator, session, report=report)


async def _own(
    view: View,
    caller: Caller,
    session: AsyncSession,
    config: Config,
    problem: Problem | None = None,
    entered: Mapping[str, str] | None = None,
) -> Template:
    return view.page(
        "payouts.html",
        payouts=(await list_payouts(session, caller.organisation_id)).items,
        account=await _account(session, caller.organisation_id),
        stripe=config.stripe_api_key is not None,
        may_set="approver" in caller.roles and "money" in caller.scopes,
        entered=entered or dict.fromkeys(ACCOUNT, ""),
        **what_is_wrong(view, problem),
    )


async def _batches(
    view: View,
    caller: Caller,
    session: AsyncSession,
    *,
    report: Report | None = None,
    problem: Problem | None = None,
) -> Template:
    return view.page(
        "payout_batches.html",
        batches=(await list_batches(session)).items,
        odd=(await list_odd(session)).items,
        months=_over(utcnow()),
        key=str(new_id()),
        report=report,
        **what_is_wrong(view, problem),
        proposes=caller.organisation_kind == "operator"
        and "operator" in caller.roles
        and "money" in caller.scopes,
    )


def _over(now: datetime) -> list[Month]:
    """Months that are over, newest first."""
    return [month for month in months_until(now) if month != month_of(now)]


async def _account(session: AsyncSession, owner_id: UUID) -> AccountView | None:
    try:
        return await read_account(session, owner_id)
    except NotFound:
        return None


handlers = [
    show_payouts, send_account, show_shares, start_batch, show_batch, release_batch, cancel_batch, download_batch,
    send_notices,
]  # fmt: skip
