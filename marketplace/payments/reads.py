"""Orders, payments and settings as they are shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.errors import NotFound, Problem
from marketplace.ledger.accounts import account_id
from marketplace.ledger.reads import balance
from marketplace.payments.errors import AutoMonthReached, AutoPaused, NoRate
from marketplace.payments.models import PaymentAccount
from marketplace.payments.provider import Payments
from marketplace.payments.rates import usd_rate
from marketplace.payments.schemas import (
    AutoView,
    BankAccount,
    BankLineView,
    DisputeView,
    MethodView,
    PaymentSettings,
    PaymentView,
    RefundView,
    Stopped,
    TopUpView,
)
from marketplace.texts import LANGUAGES, message

RECENT = 50
_TOP_UPS = """
    select t.id, t.kind, t.state, t.currency, t.amount, t.amount_vnd, t.rate_vnd, t.reference, t.url,
           t.decline_code, t.created_at,
           (select coalesce(sum(p.amount_vnd), 0)::bigint from payment p where p.top_up_id = t.id) as paid_vnd
    from top_up t where t.organisation_id = :organisation
"""
_ONE_TOP_UP = text(_TOP_UPS + " and t.id = :id")
_NEWEST_TOP_UPS = text(_TOP_UPS + " order by t.created_at desc, t.id desc limit :rows")
_LINES = """
    select l.id, l.bank_reference, l.amount_vnd, l.memo, l.received_on, l.organisation_id,
           o.name as organisation_name, p.top_up_id, t.amount_vnd as announced_vnd
    from bank_line l left join organisation o on o.id = l.organisation_id
    left join payment p on p.id = 'bank:' || l.bank_reference left join top_up t on t.id = p.top_up_id
"""
_ONE_LINE = text(_LINES + " where l.id = :id")
_NEWEST_LINES = text(
    _LINES + " order by (l.organisation_id is null) desc, l.booked_at desc, l.id desc limit :rows"
)
_PAYMENTS = """
    select p.id, p.source, p.organisation_id, o.name as organisation_name, p.currency, p.amount, p.amount_vnd,
           p.paid_at from payment p join organisation o on o.id = p.organisation_id
"""
_NEWEST_PAYMENTS = text(
    _PAYMENTS + " where cast(:organisation as uuid) is null or p.organisation_id = :organisation"
    " order by p.at desc, p.id desc limit :rows"
)
_REFUNDS = text("""
    select id, payment_id, amount, amount_vnd, state, reason, asked_at from refund
    where payment_id = any(:payments) order by asked_at, id
""")
_ONE_REFUND = text("""
    select id, payment_id, amount, amount_vnd, state, reason, asked_at from refund where id = :id
""")
_DISPUTES = text("""
    select payment_id, id, amount_vnd, state, reason, opened_at, closed_at from dispute
    where payment_id = any(:payments) order by opened_at, id
""")
_METHODS = text("""
    select id, brand, last4, expires from saved_method
    where organisation_id = :organisation and removed_at is null order by added_at desc, id
""")
TAKEN_THIS_MONTH = text("""
    select coalesce(sum(amount_vnd), 0)::bigint from top_up
    where organisation_id = :organisation and kind = 'auto' and state in ('starting', 'open', 'paid')
      and created_at >= date_trunc('month', now() at time zone 'Asia/Ho_Chi_Minh') at time zone 'Asia/Ho_Chi_Minh'
""")


async def top_up(session: AsyncSession, *, organisation_id: UUID, top_up_id: UUID) -> TopUpView:
    """One order of the startup. Raises NotFound."""
    found = await session.execute(_ONE_TOP_UP, {"organisation": organisation_id, "id": top_up_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound(what="top_up")
    return TopUpView(**row._mapping)


async def top_ups(session: AsyncSession, organisation_id: UUID) -> tuple[TopUpView, ...]:
    """The startup's newest orders."""
    rows = await session.execute(_NEWEST_TOP_UPS, {"organisation": organisation_id, "rows": RECENT})
    return tuple(TopUpView(**row._mapping) for row in rows)


async def bank_line(session: AsyncSession, line_id: UUID) -> BankLineView:
    """One booked line. Raises NotFound."""
    row = (await session.execute(_ONE_LINE, {"id": line_id})).one_or_none()
    if row is None:
        raise NotFound(what="bank_line")
    return BankLineView(**row._mapping)


async def bank_lines(session: AsyncSession) -> tuple[BankLineView, ...]:
    """Those of nobody first, then the newest."""
    rows = await session.execute(_NEWEST_LINES, {"rows": RECENT})
    return tuple(BankLineView(**row._mapping) for row in rows)


async def refund(session: AsyncSession, refund_id: UUID) -> RefundView:
    """One refund. Raises NotFound."""
    row = (await session.execute(_ONE_REFUND, {"id": refund_id})).one_or_none()
    if row is None:
        raise NotFound(what="refund")
    return RefundView(**row._mapping)


async def payments(session: AsyncSession, organisation_id: UUID | None) -> tuple[PaymentView, ...]:
    """The newest payments of a startup; None: of all, for the operator."""
    rows = (await session.execute(_NEWEST_PAYMENTS, {"organisation": organisation_id, "rows": RECENT})).all()
    ids = {"payments": [row.id for row in rows]}
    refunds = [RefundView(**row._mapping) for row in await session.execute(_REFUNDS, ids)]
    disputes = [dict(row._mapping) for row in await session.execute(_DISPUTES, ids)]
    return tuple(
        PaymentView(
            **row._mapping,
            refunds=tuple(one for one in refunds if one.payment_id == row.id),
            disputes=tuple(_dispute(one) for one in disputes if one["payment_id"] == row.id),
        )
        for row in rows
    )


async def settings(
    session: AsyncSession, config: Config, payments: Payments, organisation_id: UUID
) -> PaymentSettings:
    """What the startup can pay with, and what of its money is neither here nor there."""
    methods = await session.execute(_METHODS, {"organisation": organisation_id})
    account = await session.get(PaymentAccount, organisation_id)
    return PaymentSettings(
        cards=payments.configured,
        usd_rate_vnd=_rate(config),
        least_vnd=config.top_up_least_vnd,
        bank_account=bank_account(config),
        methods=tuple(MethodView(**row._mapping) for row in methods),
        auto=await _auto(session, account) if account else None,
        frozen_vnd=await _balance(session, account, "disputed"),
        refunding_vnd=await _balance(session, account, "refunding"),
        owed_vnd=-await _balance(session, account, "owed"),
    )


def bank_account(config: Config) -> BankAccount | None:
    """Where bank transfers go to, as configured."""
    if not config.pay_in_account:
        return None
    bank, number, holder = (each.strip() for each in config.pay_in_account.split(";"))
    return BankAccount(bank=bank, number=number, holder=holder)


async def _auto(session: AsyncSession, account: PaymentAccount) -> AutoView | None:
    if account.auto_method_id is None:
        return None
    taken = int(await session.scalar(TAKEN_THIS_MONTH, {"organisation": account.organisation_id}) or 0)
    return AutoView(
        method_id=account.auto_method_id,
        floor_vnd=account.auto_floor_vnd or 0,
        amount_vnd=account.auto_amount_vnd or 0,
        month_limit_vnd=account.auto_month_limit_vnd or 0,
        taken_vnd=taken,
        paused=account.auto_paused,
        stopped=_stopped(account, taken),
    )


def _stopped(account: PaymentAccount, taken_vnd: int) -> Stopped | None:
    """As `auto.fill` finds it."""
    amount_vnd, most_vnd = account.auto_amount_vnd or 0, account.auto_month_limit_vnd or 0
    if account.auto_paused is not None:
        problem: Problem = AutoPaused(reason=account.auto_paused)
    elif taken_vnd + amount_vnd > most_vnd:
        problem = AutoMonthReached(taken_vnd=taken_vnd, amount_vnd=amount_vnd, month_limit_vnd=most_vnd)
    else:
        return None
    texts = {language: message(problem.code, problem.params, language) for language in LANGUAGES}
    return Stopped(code=problem.code, messages=texts)


async def _balance(session: AsyncSession, account: PaymentAccount | None, kind: str) -> int:
    """0 before the first top-up, when the account is not open yet."""
    return (await balance(session, account_id(account.organisation_id, kind))).balance if account else 0


def _rate(config: Config) -> int | None:
    try:
        return usd_rate(config, utcnow())
    except NoRate:
        return None


def _dispute(row: dict[str, Any]) -> DisputeView:
    return DisputeView(**{name: value for name, value in row.items() if name != "payment_id"})
