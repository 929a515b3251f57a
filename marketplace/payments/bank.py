"""Bank transfers: the operator books a line of the statement, the code in its text says whose it is.

What arrived is what is credited, whatever was announced; what nobody can be found for waits on `unmatched`.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Text, bindparam, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.billing.actions import CREDIT_MOST_VND, startup_with_wallet
from marketplace.billing.errors import AmountOutOfRange
from marketplace.calendar import day_of
from marketplace.db.base import new_id, utcnow
from marketplace.errors import Invalid, NotFound
from marketplace.faults import point
from marketplace.ledger.accounts import account_id, open_account
from marketplace.payments.accounts import bring_in, collect, lock_account, move
from marketplace.payments.errors import LineAssigned, LineDiffers, LineInFuture
from marketplace.payments.models import SPELLED, BankLine, Payment, TopUp
from marketplace.payments.references import find_reference

REFERENCE_CHARACTERS = 100
KNOWN = select(BankLine).where(literal_column(SPELLED, Text) == bindparam("number")).limit(1)


class Line(Struct, frozen=True, kw_only=True):
    """As the bank's statement has it. `bank_reference`: the bank's own number of it."""

    bank_reference: str
    amount_vnd: int
    memo: str
    received_on: date


async def book_line(session: AsyncSession, *, by: Operator, line: Line) -> UUID:
    """The line's id. The same line again is harmless, however its number is spelled.

    Raises AmountOutOfRange, LineInFuture, LineDiffers, Invalid.
    """
    line = replace(line, bank_reference=_number(line.bank_reference))
    if not 0 < line.amount_vnd <= CREDIT_MOST_VND:
        raise AmountOutOfRange(amount_vnd=line.amount_vnd, least_vnd=1, most_vnd=CREDIT_MOST_VND)
    if line.received_on > day_of(utcnow()):
        raise LineInFuture(received_on=line.received_on.isoformat())
    known = await session.scalar(KNOWN, {"number": line.bank_reference})
    if known is not None:
        return _same_or_differs(known, line)
    line_id = await _enter(session, by, line)
    if line_id is None:
        booked = await session.scalars(select(BankLine).where(BankLine.bank_reference == line.bank_reference))
        return _same_or_differs(booked.one(), line)
    reference = find_reference(line.memo)
    order = await session.scalar(select(TopUp).where(TopUp.reference == reference)) if reference else None
    await open_account(session, organisation_id=None, kind="unmatched")
    await bring_in(
        session,
        about=_about(line.bank_reference),
        step="bank_line",
        to=account_id(None, "unmatched"),
        currency="VND",
        amount=line.amount_vnd,
        amount_vnd=line.amount_vnd,
    )
    made_line = await session.get_one(BankLine, line_id)
    if order is None:
        await _record(session, "bankline:book", by, made_line)
    else:
        await _give(session, by, made_line, order.organisation_id, order)
    point("bank-line-before-commit")
    return line_id


async def _enter(session: AsyncSession, by: Operator, line: Line) -> UUID | None:
    """The row's id; None where another has just entered a line of this number."""
    row = {
        "id": new_id(),
        "bank_reference": line.bank_reference,
        "amount_vnd": line.amount_vnd,
        "memo": line.memo,
        "received_on": line.received_on,
        "booked_by": by.person_id,
        "booked_at": utcnow(),
    }
    made = insert(BankLine).values(**row).on_conflict_do_nothing(index_elements=[BankLine.bank_reference])
    line_id: UUID | None = await session.scalar(made.returning(BankLine.id))
    return line_id


async def assign_line(session: AsyncSession, *, by: Operator, line_id: UUID, organisation_id: UUID) -> None:
    """Credit a line that named nobody to the startup that sent it; to the same one again is harmless.

    Raises NotFound, NoWallet, LineAssigned.
    """
    await startup_with_wallet(session, organisation_id)
    await lock_account(session, organisation_id)
    line = await session.get(BankLine, line_id, with_for_update=True, populate_existing=True)
    if line is None:
        raise NotFound(what="bank_line")
    if line.organisation_id is None:
        await _give(session, by, line, organisation_id, None)
    elif line.organisation_id != organisation_id:
        raise LineAssigned


async def _give(
    session: AsyncSession, by: Operator, line: BankLine, organisation_id: UUID, order: TopUp | None
) -> None:
    await lock_account(session, organisation_id)
    line.organisation_id = organisation_id
    payment = Payment(
        id=_about(line.bank_reference),
        source="bank",
        top_up_id=order.id if order else None,
        organisation_id=organisation_id,
        currency="VND",
        amount=line.amount_vnd,
        amount_vnd=line.amount_vnd,
        paid_at=datetime.combine(line.received_on, datetime.min.time(), UTC),
    )
    session.add(payment)
    await session.flush()
    await move(
        session,
        about=payment.id,
        step="top_up",
        debit=account_id(None, "unmatched"),
        credit=account_id(organisation_id, "wallet"),
        amount_vnd=line.amount_vnd,
    )
    if order is not None:
        order.state, order.looked_at = "paid", utcnow()
    await collect(session, organisation_id)
    await _record(session, "bankline:credit", by, line, order)


def _same_or_differs(known: BankLine, line: Line) -> UUID:
    before = (known.amount_vnd, known.memo, known.received_on)
    if before != (line.amount_vnd, line.memo, line.received_on):
        raise LineDiffers(bank_reference=line.bank_reference)
    return known.id


def _number(spelled: str) -> str:
    """A bank's number as it is kept: capitals, without spaces and what cannot be seen. Raises Invalid."""
    wide = unicodedata.normalize("NFKC", spelled).upper()
    number = "".join(symbol for symbol in wide if symbol.isprintable() and not symbol.isspace())
    if not 0 < len(number) <= REFERENCE_CHARACTERS:
        bounds = {"path": "bank_reference", "field": "bank_reference", "bounds": f"1–{REFERENCE_CHARACTERS}"}
        raise Invalid(errors=[{"path": "bank_reference", "code": "field.length", "params": bounds}])
    return number


def _about(bank_reference: str) -> str:
    return f"bank:{bank_reference}"


async def _record(
    session: AsyncSession, name: str, by: Operator, line: BankLine, order: TopUp | None = None
) -> None:
    ordered = {"top_up": str(order.id), "announced_vnd": order.amount_vnd} if order else {}
    await record(
        session,
        name,
        by=by,
        parties=(line.organisation_id,) if line.organisation_id else (),
        price_vnd=line.amount_vnd,
        body={"line": str(line.id), "bank_reference": line.bank_reference, **ordered},
    )
