"""The seam to what others say they moved: Stripe's balance, the bank's file. Each reader gives an `Outside`.

A reader lies with its feature (payments, payouts) and opens its own records; `payments/readers.py` lists all of
them, and hands what they heard to `ledger.reconcile`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import EPOCH
from marketplace.db.engine import Database
from marketplace.ledger.models import OutsidePoint

_BOOKED = text("""
select reference, sum(case when debit_account_id = :account then amount else -amount end)::bigint as amount,
       (array_agg(id order by seq))[1] as transfer_id
from transfer
where (debit_account_id = :account or credit_account_id = :account) and kind in ('single', 'post')
    and code = any(:codes) and at >= :begins and at < :until
group by reference, case when reference is null then id end
having max(at) >= :since or reference = any(:told)
""")


class OutsideRecord(Struct, frozen=True, kw_only=True):
    """One movement as the other side has it. `reference`: as its transfers carry it; `amount` in the smallest unit
    of the account's currency, above 0 if it came in to the exchange, below if it went out."""

    reference: str
    amount: int


class Outside(Struct, frozen=True, kw_only=True):
    """All movements of one other side from `since` until before `until`, and where the ledger has booked them.

    `account_id`: the ledger's account that stands for the other side, debited by what comes in (`funding`).
    `codes`: of the transfers on it that the other side knows of. `name`: stripe | bank | …
    """

    name: str
    account_id: UUID
    codes: tuple[str, ...]
    since: datetime
    until: datetime
    records: Iterable[OutsideRecord]
    totals: bool = False
    """Whether `records` have all that a reference ever moved, of each that moved since `since`."""


class Silent(Struct, frozen=True):
    """Another side that did not answer: nothing of it can be compared, and that is a difference."""

    name: str


Heard = tuple[Outside | Silent, ...]
Hear = Callable[[Database], Awaitable[Heard]]
"""Asks every other side; opens and ends its own unit of work."""


async def agreed_until(session: AsyncSession, name: str) -> datetime | None:
    """Up to when the last reading that agreed went; None: there was none."""
    found: datetime | None = await session.scalar(select(OutsidePoint.until).where(OutsidePoint.name == name))
    return found


async def note_agreed(session: AsyncSession, heard: Heard, differing: Iterable[str]) -> None:
    """Of each side that was heard, and is not among those that differ: the next reading begins near here."""
    apart = set(differing)
    for each in heard:
        if isinstance(each, Outside) and each.name not in apart:
            put = insert(OutsidePoint).values(name=each.name, until=each.until)
            moved = {"until": func.greatest(OutsidePoint.until, each.until)}
            await session.execute(put.on_conflict_do_update(index_elements=["name"], set_=moved))


class Compared(Struct, frozen=True):
    """A reference on which the two sides differ; None: one side does not have it."""

    reference: str
    expected: int | None
    found: int | None
    transfer_id: UUID | None


async def compare(session: AsyncSession, outside: Outside) -> list[Compared]:
    """References whose sums differ, or that one side does not have; a transfer without one is named by its id."""
    expected: dict[str, int] = {}
    for record in outside.records:
        expected[record.reference] = expected.get(record.reference, 0) + record.amount
    booked = await session.execute(
        _BOOKED,
        {
            "account": outside.account_id,
            "codes": list(outside.codes),
            "since": outside.since,
            "until": outside.until,
            "begins": EPOCH if outside.totals else outside.since,
            "told": list(expected) if outside.totals and outside.since != EPOCH else [],
        },
    )
    differ = []
    for row in booked:
        told = expected.pop(row.reference, None) if row.reference is not None else None
        if told != row.amount:
            differ.append(Compared(row.reference or str(row.transfer_id), told, row.amount, row.transfer_id))
    # What came in and went back again as one reference moved nothing.
    return differ + [Compared(reference, amount, None, None) for reference, amount in expected.items() if amount]
