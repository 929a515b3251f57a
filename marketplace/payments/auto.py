"""Auto top-up: a wallet below its floor is filled from a saved method, once at a time and within its month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import StartupAdmin
from marketplace.audit.actions import record
from marketplace.billing.actions import CREDIT_MOST_VND
from marketplace.billing.errors import AmountOutOfRange
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.payments.accounts import lock_account
from marketplace.payments.errors import NoSuchMethod, SettingsOutOfRange
from marketplace.payments.models import PaymentAccount
from marketplace.payments.provider import Payments
from marketplace.payments.reads import TAKEN_THIS_MONTH
from marketplace.payments.topups import Wish, new_order, require_method

_LOW = """
    select p.organisation_id from payment_account p
    join account a on a.organisation_id = p.organisation_id and a.kind = 'wallet' and a.currency = 'VND'
    join account_balance b on b.account_id = a.id
    where p.auto_method_id is not null and p.auto_paused is null
      and b.credits_posted - b.debits_posted - b.debits_pending < p.auto_floor_vnd
      and not exists (select from top_up t where t.organisation_id = p.organisation_id and t.kind = 'auto'
                      and t.state in ('starting', 'open'))
"""
LOW = text(_LOW)
_STILL_LOW = text(_LOW + " and p.organisation_id = :organisation")


async def set_auto(
    session: AsyncSession,
    config: Config,
    payments: Payments,
    *,
    by: StartupAdmin,
    method_id: str,
    floor_vnd: int,
    amount_vnd: int,
    month_limit_vnd: int,
) -> None:
    """From now on; a pause ends.

    Raises PaymentsNotConfigured, AmountOutOfRange, SettingsOutOfRange, NoSuchMethod.
    """
    payments.require()
    least = config.top_up_least_vnd
    if not least <= amount_vnd <= CREDIT_MOST_VND:
        raise AmountOutOfRange(amount_vnd=amount_vnd, least_vnd=least, most_vnd=CREDIT_MOST_VND)
    if month_limit_vnd < amount_vnd:
        raise SettingsOutOfRange(amount_vnd=amount_vnd, month_limit_vnd=month_limit_vnd)
    account = await lock_account(session, by.organisation_id)
    await require_method(session, by.organisation_id, method_id)
    account.auto_method_id, account.auto_paused = method_id, None
    account.auto_floor_vnd, account.auto_amount_vnd = floor_vnd, amount_vnd
    account.auto_month_limit_vnd = month_limit_vnd
    body = {
        "method": method_id, "floor_vnd": floor_vnd, "amount_vnd": amount_vnd, "month_limit_vnd": month_limit_vnd,
    }  # fmt: skip
    await _record(session, "topup:set_auto", by, body)


async def clear_auto(session: AsyncSession, *, by: StartupAdmin) -> None:
    """Nothing is taken by itself any more; again is harmless."""
    account = await lock_account(session, by.organisation_id)
    if account.auto_method_id is None:
        return
    account.auto_method_id = account.auto_paused = None
    account.auto_floor_vnd = account.auto_amount_vnd = account.auto_month_limit_vnd = None
    await _record(session, "topup:clear_auto", by, {})


async def fill(database: Database, config: Config, organisation_id: UUID) -> UUID | None:
    """The order of an auto top-up, if the wallet is low; None: another is under way, or the month is used up.

    However many ask at once, the startup's lock lets one of them order; the others see its order.
    """
    async with database.session() as session:
        account = await lock_account(session, organisation_id)
        low = await session.execute(_STILL_LOW, {"organisation": organisation_id})
        if low.first() is None or account.auto_amount_vnd is None:
            return None
        taken = int(await session.scalar(TAKEN_THIS_MONTH, {"organisation": organisation_id}) or 0)
        if taken + account.auto_amount_vnd > (account.auto_month_limit_vnd or 0):
            return None
        return await _order(session, config, account)


async def _order(session: AsyncSession, config: Config, account: PaymentAccount) -> UUID | None:
    wish = Wish(kind="auto", currency="VND", amount=account.auto_amount_vnd or 0, method_id=account.auto_method_id)
    try:
        order = await new_order(
            session, config, organisation_id=account.organisation_id, top_up_id=new_id(), wish=wish, by=None
        )
    except (NoSuchMethod, AmountOutOfRange) as stale:
        account.auto_paused = "method_removed" if isinstance(stale, NoSuchMethod) else stale.code
        return None
    await record(
        session,
        "topup:start",
        parties=(account.organisation_id,),
        price_vnd=order.amount_vnd,
        body={"top_up": str(order.id), "kind": order.kind},
    )
    return order.id


async def low_wallets(database: Database) -> Sequence[Any]:
    """Startups whose wallet is below its floor with nothing under way."""
    return [row.organisation_id for row in await database.all(LOW, {})]


async def _record(session: AsyncSession, name: str, by: StartupAdmin, body: dict[str, Any]) -> None:
    await record(
        session,
        name,
        by=by,
        parties=(by.organisation_id,),
        body=body,
    )
