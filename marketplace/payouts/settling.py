"""Reads the bank's notices: what was paid, what came back; the same file again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.db.base import utcnow
from marketplace.faults import point
from marketplace.ledger.accounts import account_id
from marketplace.ledger.outside import Outside, OutsideRecord
from marketplace.payouts.bank_file import Notice
from marketplace.payouts.booking import CLEARING, book_paid, book_return
from marketplace.payouts.carrier import STRIPE
from marketplace.payouts.models import Payout, PayoutAccount, PayoutNotice

_LOCKED = text("select pg_advisory_xact_lock(hashtextextended('payouts', 0))")
_TWICE = text("select from payout_notice where payout_id = :payout and status = :status limit 1")
# A return that was read first booked the payment too, so what is read of that later is no movement.
_SAID = text("""
    select p.reference,
           sum(case when n.status = 'PAID' then -n.amount_vnd
               when exists (select from payout_notice paid where paid.payout_id = n.payout_id
                            and paid.status = 'PAID' and paid.read_at <= n.read_at) then n.amount_vnd
               else 0 end)::bigint as amount
    from payout_notice n join payout p on p.id = n.payout_id
    where n.read_at >= :since and n.read_at < :until and (n.status = 'RETURNED' or not exists (
        select from payout_notice back where back.payout_id = n.payout_id
        and back.status = 'RETURNED' and back.read_at < n.read_at))
    group by p.id
""")
_UNANSWERED = text("""
    select p.reference, -p.amount_vnd as amount from payout p join payout_batch b on b.id = p.batch_id
    where p.state = 'released' and b.decided_at < :before order by p.id
""")


class Odd(Struct, frozen=True, kw_only=True):
    """A line that fits nothing here, and why: unknown_reference, other_amount, not_released, twice, differs."""

    bank_reference: str
    reference: str
    why: str


class Report(Struct, frozen=True, kw_only=True):
    """How many lines settled something, how many were read before, and those that fit nothing."""

    paid: int
    returned: int
    known: int
    odd: tuple[Odd, ...]


async def settle_notices(
    session: AsyncSession, notices: Sequence[Notice], *, by: Operator, at: datetime
) -> Report:
    """Book what fits, name what does not; a returned payout is back in its owner's earnings."""
    await session.execute(_LOCKED)
    at = max(at, utcnow())  # what was read meanwhile was read before this
    by_bank = select(Payout).join(PayoutAccount).where(PayoutAccount.bank_code != STRIPE)
    rows = await session.scalars(by_bank.where(Payout.reference.in_({one.reference for one in notices})))
    payouts = {row.reference: row for row in rows}
    counted = {"PAID": 0, "RETURNED": 0, "known": 0}
    odd: list[Odd] = []
    for notice in notices:
        why = _odd(notice, payouts.get(notice.reference))
        if why is None:
            why = await _settle(session, notice, payouts[notice.reference], by, at)
            point("payout-notice")
        if why in ("PAID", "RETURNED", "known"):
            counted[why] += 1
        else:
            odd.append(Odd(bank_reference=notice.bank_reference, reference=notice.reference, why=why))
            await _told_odd(session, notice, why, by)
    return Report(paid=counted["PAID"], returned=counted["RETURNED"], known=counted["known"], odd=tuple(odd))


def _odd(notice: Notice, payout: Payout | None) -> str | None:
    if payout is None:
        return "unknown_reference"
    if payout.amount_vnd != notice.amount_vnd:
        return "other_amount"
    return "not_released" if payout.state in ("proposed", "cancelled") else None


async def _settle(session: AsyncSession, notice: Notice, payout: Payout, by: Operator, at: datetime) -> str:
    """What became of it: its status, `known`, or why it fits nothing."""
    row = {
        "bank_reference": notice.bank_reference,
        "payout_id": payout.id,
        "status": notice.status,
        "amount_vnd": notice.amount_vnd,
        "booked_on": notice.booked_on,
        "reason": notice.reason,
    }
    read = await session.get(PayoutNotice, notice.bank_reference)
    if read is not None:
        return "known" if all(getattr(read, name) == value for name, value in row.items()) else "differs"
    # Not stored: read again it is told again, for nothing here has been done about it.
    if (await session.execute(_TWICE, {"payout": payout.id, "status": notice.status})).one_or_none() is not None:
        return "twice"
    await session.execute(insert(PayoutNotice).values(**row, read_by=by.person_id, read_at=at))
    if payout.state == "returned":  # what came back had been paid: this is that, read later
        return "known"
    await book_paid(session, payout.id, payout.amount_vnd, payout.reference)
    if notice.status == "RETURNED":
        await book_return(session, payout.id, payout.owner_id, payout.amount_vnd, payout.reference)
    payout.state = _state(notice)
    await session.execute(update(Payout).where(Payout.id == payout.id).values(state=payout.state))
    await record(
        session,
        "payout:paid" if notice.status == "PAID" else "payout:return",
        by=by,
        parties=(payout.owner_id,),
        price_vnd=payout.amount_vnd,
        body={"payout": payout.id, "reference": payout.reference, "bank_reference": notice.bank_reference}
        | ({"reason": notice.reason} if notice.status == "RETURNED" else {}),
    )
    return notice.status


async def _told_odd(session: AsyncSession, notice: Notice, why: str, by: Operator) -> None:
    """The bank may have moved money that no books know of: it is found when the answer is long forgotten."""
    await record(
        session,
        "payout:odd",
        by=by,
        price_vnd=notice.amount_vnd,
        body={
            "reference": notice.reference,
            "bank_reference": notice.bank_reference,
            "status": notice.status,
            "why": why,
        },
    )


def _state(notice: Notice) -> str:
    return "paid" if notice.status == "PAID" else "returned"


async def bank_outside(session: AsyncSession, *, since: datetime, until: datetime) -> Outside:
    """What the bank said of payouts, for `ledger.reconcile`. What came back had been paid, said or not."""
    rows = await session.execute(_SAID, {"since": since, "until": until})
    return Outside(
        name="payouts",
        account_id=account_id(None, "funding"),
        codes=("payout_paid", "payout_return"),
        since=since,
        until=until,
        records=[OutsideRecord(reference=row.reference, amount=row.amount) for row in rows],
    )


async def unanswered(session: AsyncSession, *, before: datetime, until: datetime) -> Outside:
    """Payouts released before an instant of which neither bank nor Stripe has said what became of them: each is
    a difference, for whoever was to carry the money gives no movement of it."""
    rows = await session.execute(_UNANSWERED, {"before": before})
    return Outside(
        name="payouts unanswered",
        account_id=account_id(None, CLEARING),
        codes=(),
        since=before,
        until=until,
        records=[OutsideRecord(reference=row.reference, amount=row.amount) for row in rows],
    )
