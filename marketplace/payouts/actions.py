"""Batches of payouts: one person of the operator proposes, another releases; the bank's notices settle them."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver, Operator
from marketplace.accounts.models import Organisation
from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.errors import NotFound
from marketplace.faults import point
from marketplace.invoices.errors import MonthNotOver
from marketplace.invoices.months import month_of
from marketplace.ledger.reads import balance
from marketplace.payouts.bank_file import plain_name
from marketplace.payouts.booking import book_release, earnings, open_clearing
from marketplace.payouts.carrier import STRIPE
from marketplace.payouts.errors import (
    AccountMalformed,
    BalanceFell,
    BatchDecided,
    BatchOpen,
    NothingToPay,
    SameReleaser,
)
from marketplace.payouts.models import Payout, PayoutAccount, PayoutBatch

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_CHARACTERS = 16
_BANK, _NUMBER = re.compile(r"\d{6}"), re.compile(r"[0-9A-Z]{4,19}")
_STRIPE_ACCOUNT = re.compile(r"acct_[0-9A-Za-z]{8,40}")
_ALONE = text("select pg_advisory_xact_lock(hashtextextended('payouts', 0))")
_OWNERS = text("""
    select distinct on (owner_id) owner_id, id as account_id from payout_account order by owner_id, id desc
""")


async def set_account(
    session: AsyncSession, *, by: Approver, bank_code: str, account_number: str, holder: str, at: datetime
) -> UUID:
    """Where the owner is paid from the next batch on. Raises AccountMalformed."""
    stripe = bank_code == STRIPE
    for path, good in (
        ("bank_code", stripe or _BANK.fullmatch(bank_code)),
        ("account_number", (_STRIPE_ACCOUNT if stripe else _NUMBER).fullmatch(account_number)),
        ("holder", plain_name(holder)),
    ):
        if not good:
            raise AccountMalformed(path=path)
    account_id = new_id()
    row = {"id": account_id, "owner_id": by.organisation_id, "bank_code": bank_code, "set_by": by.person_id}
    await session.execute(
        insert(PayoutAccount).values(**row, account_number=account_number, holder=holder, set_at=at)
    )
    await record(
        session,
        "payout:account",
        by=by,
        parties=(by.organisation_id,),
        body={"account": account_id, "bank_code": bank_code, "last": account_number[-4:]},
        secrets={"number": account_number},
    )
    return account_id


def require_carried(bank_code: str, config: Config) -> None:
    """Whether anybody here carries money to such an account. Raises AccountMalformed."""
    if bank_code == STRIPE and config.stripe_api_key is None:
        raise AccountMalformed(path="bank_code")


async def propose(
    session: AsyncSession, *, period: str, least_vnd: int, by: Operator, at: datetime, batch_id: UUID | None = None
) -> UUID:
    """A batch of what each owner had at the month's end and still has.

    Raises NothingToPay, BatchOpen, MonthNotOver.
    """
    month = month_of(period)
    if at < month.until:
        raise MonthNotOver(period=period, ready=month.until.isoformat(timespec="minutes"))
    await session.execute(_ALONE)
    waiting = await session.scalar(select(PayoutBatch.id).where(PayoutBatch.state == "proposed"))
    if waiting is not None:
        raise BatchOpen(batch_id=str(waiting))
    batch = {"id": batch_id or new_id(), "period": period, "state": "proposed"}
    rows = []
    for owner in await session.execute(_OWNERS):
        account = earnings(owner.owner_id)
        then, now = await balance(session, account, at=month.until), await balance(session, account)
        amount = min(then.balance, now.available)
        if amount >= least_vnd:
            rows.append(
                {
                    "id": new_id(),
                    "batch_id": batch["id"],
                    "owner_id": owner.owner_id,
                    "account_id": owner.account_id,
                    "amount_vnd": amount,
                    "reference": "SDL" + "".join(secrets.choice(ALPHABET) for _ in range(REFERENCE_CHARACTERS)),
                    "state": "proposed",
                }
            )
    if not rows:
        raise NothingToPay(period=period, least_vnd=least_vnd)
    await session.execute(insert(PayoutBatch).values(**batch, proposed_by=by.person_id, proposed_at=at))
    await session.execute(insert(Payout), rows)
    total = sum(row["amount_vnd"] for row in rows)
    body = {"batch": batch["id"], "period": period, "payouts": len(rows)}
    await _told(session, "payout:propose", by, total, body)
    point("payouts-proposed")
    return UUID(str(batch["id"]))


async def release(session: AsyncSession, *, batch_id: UUID, by: Operator, at: datetime) -> None:
    """Take the money out of the owners' earnings, for the bank's file; by the same person again is harmless.

    Raises NotFound, SameReleaser, BatchDecided, BalanceFell.
    """
    batch = await _locked(session, batch_id)
    if batch.proposed_by == by.person_id:
        raise SameReleaser
    if batch.state == "released" and batch.decided_by == by.person_id:
        return
    if batch.state != "proposed":
        raise BatchDecided(state=batch.state)
    await open_clearing(session)
    for payout in await session.scalars(select(Payout).where(Payout.batch_id == batch_id).order_by(Payout.id)):
        left = (await balance(session, earnings(payout.owner_id))).available
        if left < payout.amount_vnd:
            owner = await session.get_one(Organisation, payout.owner_id)
            raise BalanceFell(
                owner_id=str(owner.id), owner=owner.name, amount_vnd=payout.amount_vnd, balance_vnd=left
            )
        await book_release(session, payout.id, payout.owner_id, payout.amount_vnd, payout.reference)
        body = {"batch": batch_id, "payout": payout.id, "reference": payout.reference}
        await _told(session, "payout:release", by, payout.amount_vnd, body, parties=(payout.owner_id,))
    await _decided(session, batch_id, "released", by, at)
    point("payouts-released")


async def cancel(session: AsyncSession, *, batch_id: UUID, by: Operator, at: datetime) -> None:
    """Give a proposed batch up; again is harmless. Raises NotFound, BatchDecided."""
    batch = await _locked(session, batch_id)
    if batch.state == "cancelled":
        return
    if batch.state != "proposed":
        raise BatchDecided(state=batch.state)
    await _decided(session, batch_id, "cancelled", by, at)
    await _told(session, "payout:cancel", by, None, {"batch": batch_id, "period": batch.period})


async def _locked(session: AsyncSession, batch_id: UUID) -> PayoutBatch:
    """Nobody else proposes, releases or cancels until this unit of work has ended."""
    await session.execute(_ALONE)
    batch = await session.get(PayoutBatch, batch_id)
    if batch is None:
        raise NotFound(what="payout_batch")
    return batch


async def _decided(session: AsyncSession, batch_id: UUID, state: str, by: Operator, at: datetime) -> None:
    await session.execute(
        update(PayoutBatch)
        .where(PayoutBatch.id == batch_id)
        .values(state=state, decided_by=by.person_id, decided_at=at)
    )
    await session.execute(update(Payout).where(Payout.batch_id == batch_id).values(state=state))


async def _told(
    session: AsyncSession,
    name: str,
    by: Operator,
    amount_vnd: int | None,
    body: dict[str, object],
    parties: tuple[UUID, ...] = (),
) -> None:
    await record(
        session,
        name,
        by=by,
        parties=parties,
        price_vnd=amount_vnd,
        body=body,
    )
