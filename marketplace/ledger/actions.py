"""Transfers: move money at once, hold it, post or void a hold; several linked ones are made all or none.

Every verb is one call of the database's function `book`, and a refusal leaves nothing behind. Only accounts with a
floor are locked; the balance of the others is a fold and what came after it (`ledger.folding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import Row, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import utcnow
from marketplace.db.together import Statement, perform
from marketplace.errors import Problem
from marketplace.ledger.errors import (
    AtOnce,
    BudgetShort,
    CurrencyMixed,
    FundsShort,
    HoldExpired,
    HoldResolved,
    InsufficientFunds,
    NoAccount,
    OverHold,
    PeriodClosed,
    TransferDiffers,
)
from marketplace.ledger.models import Transfer

MAX_AMOUNT = 10**15
"""Of one transfer; sums of thousands of these still fit 64 bits."""
MAX_LINKED = 1_000
DONG = "VND"
PRIVACY = "RHO"
"""The currency of privacy budgets: millionths of ρ, which nobody can be asked to pay in."""
BOOK = text("select * from book(cast(:movements as json), cast(:now as timestamptz))")
"""`same`: how many are there already; `line`: which of them, from 1, stands in the way; `fault`: one of these."""
_FAULTS: dict[str, type[Problem]] = {
    "unknown": NoAccount,
    "closed": PeriodClosed,
    "mixed": CurrencyMixed,
    "resolved": HoldResolved,
    "expired": HoldExpired,
    "over": OverHold,
}


class Movement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transfer to be made. Its id is its idempotency key; amount in the currency's smallest unit.

    kind: single | pending | post | void; the last two name their hold and take accounts and amount from it; a post
    may name a smaller amount, and the rest of the hold is given back. `expires_at`: of a pending one, from when on
    it can be voided only. `at`: when it counts, if not now.
    """

    id: UUID
    kind: str
    code: str
    debit: UUID | None = None
    credit: UUID | None = None
    amount: int | None = None
    hold_id: UUID | None = None
    query_id: UUID | None = None
    dataset_id: UUID | None = None
    reference: str | None = None
    expires_at: datetime | None = None
    at: datetime | None = None


async def transfers(session: AsyncSession, movements: Sequence[Movement]) -> bool:
    """Make all of them, or none; False if these very ones were made before, which changes nothing.

    Raises as `require_made`, and AtOnce; then the unit of work can only be rolled back.
    """
    try:
        verdict = (await perform(session, booking(movements))).one()
    except IntegrityError as e:
        raise broken(e.orig, movements) from e
    if verdict.same:
        await require_same(session, movements)
        return False
    require_made(verdict, movements)
    return True


def booking(movements: Sequence[Movement]) -> Statement:
    """What makes all of them, or none; its one row is the verdict for `require_made`."""
    _check(movements)
    return Statement(BOOK, {"movements": msgspec.json.encode(movements).decode(), "now": utcnow()})


def require_made(verdict: Any, movements: Sequence[Movement]) -> None:
    """Raises what stood in the way, naming the transfer of the group that it stood in the way of.

    InsufficientFunds, FundsShort, BudgetShort, HoldResolved, HoldExpired, OverHold, NoAccount, CurrencyMixed,
    PeriodClosed, TransferDiffers.
    """
    if verdict.made:
        return
    if verdict.same:
        raise TransferDiffers(id=str(movements[0].id))
    failed = movements[verdict.line - 1]
    named: dict[str, Any] = {"transfer_id": str(failed.id), "line": verdict.line}
    if verdict.fault is not None:
        raise _FAULTS[verdict.fault](hold_id=str(failed.hold_id), **named)
    available, needed = int(verdict.available), int(verdict.needed)
    if verdict.currency == PRIVACY:
        raise BudgetShort(available_micro=available, needed_micro=needed, **named)
    if verdict.currency != DONG:
        raise FundsShort(currency=verdict.currency, available=available, needed=needed, **named)
    raise InsufficientFunds(available_vnd=available, needed_vnd=needed, missing_vnd=needed - available, **named)


def broken(error: object, movements: Sequence[Movement]) -> Exception:
    """What a rule of the database's refused, which the verdict could not foresee."""
    named: dict[str, Any] = {"transfer_id": str(movements[0].id)}
    diagnosis = getattr(error, "diag", None)
    rule = getattr(diagnosis, "constraint_name", None)
    if rule == "transfer_in_open_period":
        return PeriodClosed(**named)
    if rule in ("pk_transfer", "uq_transfer_pending_id"):
        return AtOnce(**named)
    if rule == "transfer_hold_not_expired":
        return HoldExpired(hold_id=str(movements[0].hold_id), **named)
    return RuntimeError(f"{rule}: {error}")


async def transfer(
    session: AsyncSession,
    *,
    id: UUID,
    debit: UUID,
    credit: UUID,
    amount: int,
    code: str,
    reference: str | None = None,
    query_id: UUID | None = None,
) -> bool:
    """Move `amount` at once. Answers and raises as `transfers`."""
    one = Movement(
        id=id, kind="single", code=code, debit=debit, credit=credit, amount=amount, reference=reference,
        query_id=query_id,
    )  # fmt: skip
    return await transfers(session, [one])


async def hold(
    session: AsyncSession,
    *,
    id: UUID,
    debit: UUID,
    credit: UUID,
    amount: int,
    code: str,
    query_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Set `amount` aside: it counts against the debit account's floor until it is posted, voided or swept once it
    has expired. Raises as `transfers`."""
    one = Movement(
        id=id, kind="pending", code=code, debit=debit, credit=credit, amount=amount, query_id=query_id,
        expires_at=expires_at,
    )  # fmt: skip
    await transfers(session, [one])


async def post(
    session: AsyncSession,
    *,
    id: UUID,
    hold_id: UUID,
    code: str,
    amount: int | None = None,
    query_id: UUID | None = None,
) -> None:
    """Make a hold final, for its whole amount or for less; the rest is given back. Raises as `transfers`."""
    one = Movement(id=id, kind="post", code=code, hold_id=hold_id, amount=amount, query_id=query_id)
    await transfers(session, [one])


async def void(session: AsyncSession, *, id: UUID, hold_id: UUID, code: str, query_id: UUID | None = None) -> None:
    """Give a hold back. Raises as `transfers`."""
    await transfers(session, [Movement(id=id, kind="void", code=code, hold_id=hold_id, query_id=query_id)])


def _check(movements: Sequence[Movement]) -> None:
    """What only a fault of ours could ask for."""
    if not 0 < len(movements) <= MAX_LINKED:
        raise ValueError(f"{len(movements)} linked transfers")
    if len({each.id for each in movements}) < len(movements):
        raise ValueError("two linked transfers with one id")
    holds = [each.hold_id for each in movements if each.hold_id is not None]
    if len(set(holds)) < len(holds):
        raise ValueError("a hold resolved twice in one group")
    for each in movements:
        if (each.kind in ("post", "void")) != (each.hold_id is not None):
            raise ValueError(f"{each.kind} with hold {each.hold_id}")
        if each.amount is None and each.hold_id is None:
            raise ValueError(f"amount {each.amount}")
        if each.amount is not None and (each.kind == "void" or not 0 <= each.amount <= MAX_AMOUNT):
            raise ValueError(f"amount {each.amount} of {each.kind}")
        if each.expires_at is not None and each.kind != "pending":
            raise ValueError(f"a {each.kind} that expires")


async def require_same(session: AsyncSession, movements: Sequence[Movement]) -> None:
    """Raises TransferDiffers, naming the first that is not there as it is asked for."""
    found = await session.execute(select(Transfer.__table__).where(Transfer.id.in_([m.id for m in movements])))
    rows = {row.id: row for row in found}
    for line, each in enumerate(movements, start=1):
        row = rows.get(each.id)
        if row is None or not _same(each, row):
            raise TransferDiffers(id=str(each.id), transfer_id=str(each.id), line=line)


def _same(asked: Movement, row: Row[Any]) -> bool:
    if (asked.kind, asked.code, asked.query_id, asked.dataset_id, asked.reference, asked.expires_at) != (
        row.kind, row.code, row.query_id, row.dataset_id, row.reference, row.expires_at,
    ):  # fmt: skip
        return False
    if asked.hold_id is not None:
        return asked.hold_id == row.pending_id and asked.amount in (None, row.amount)
    return (asked.debit, asked.credit, asked.amount) == (
        row.debit_account_id, row.credit_account_id, row.amount,
    )  # fmt: skip
