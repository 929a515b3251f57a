"""Reads the bank's notices: what was paid, what came back; the same file again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.ledger.accounts import account_id
from marketplace.ledger.outside import Outside, OutsideRecord
from marketplace.payouts.bank_file import Notice
from marketplace.payouts.booking import book_paid, book_return
from marketplace.payouts.models import Payout, PayoutNotice

_LOCKED = text("select pg_advisory_xact_lock(hashtextextended('payouts', 0))")
_TWICE = text("""
    select from payout_notice
    where payout_id = :payout and status = :status and bank_reference <> :bank_reference limit 1
""")
_SAID = text("""
    select p.reference,
           (sum(case n.status when 'PAID' then -n.amount_vnd else n.amount_vnd end)
            - case when bool_or(n.status = 'PAID') then 0 else p.amount_vnd end)::bigint as amount
    from payout_notice n join payout p on p.id = n.payout_id where n.read_at >= :since and n.read_at < :until
    group by p.id
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
    rows = await session.scalars(select(Payout).where(Payout.reference.in_({one.reference for one in notices})))
    payouts = {row.reference: row for row in rows}
    counted = {"PAID": 0, "RETURNED": 0, "known": 0}
    odd: list[Odd] = []
    for notice in notices:
        why = _odd(notice, payouts.get(notice.reference))
        if why is None:
            why = await _settle(session, notice, payouts[notice.reference], by, at)
        if why in ("PAID", "RETURNED", "known"):
            counted[why] += 1
        else:
            odd.append(Odd(bank_reference=notice.bank_reference, reference=notice.reference, why=why))
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
    made = insert(PayoutNotice).values(**row, read_by=by.person_id, read_at=at).on_conflict_do_nothing()
    if await session.scalar(made.returning(PayoutNotice.bank_reference)) is None:
        return await _same(session, row)
    if (await session.execute(_TWICE, _named(notice, payout))).one_or_none() is not None:
        return "twice"
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
        actor_person_id=by.person_id,
        actor_organisation_id=by.organisation_id,
        parties=(payout.owner_id,),
        price_vnd=payout.amount_vnd,
        body={"payout": payout.id, "reference": payout.reference, "bank_reference": notice.bank_reference}
        | ({"reason": notice.reason} if notice.status == "RETURNED" else {}),
    )
    return notice.status


def _named(notice: Notice, payout: Payout) -> dict[str, object]:
    return {"payout": payout.id, "status": notice.status, "bank_reference": notice.bank_reference}


def _state(notice: Notice) -> str:
    return "paid" if notice.status == "PAID" else "returned"


async def _same(session: AsyncSession, row: Mapping[str, object]) -> str:
    known = await session.get(PayoutNotice, row["bank_reference"])
    assert known is not None  # the insert met it
    return "known" if all(getattr(known, name) == value for name, value in row.items()) else "differs"


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
