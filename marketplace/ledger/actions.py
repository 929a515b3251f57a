"""Transfers: move money at once, hold it, post or void a hold; several linked ones are made all or none.

Every verb is one statement. It locks the balances of accounts with a floor (in the order of their ids, so that no
two transfers wait for each other), checks the floors, and only then writes: a refusal leaves nothing behind.
Accounts without a floor are never locked; their balance is the sum of their transfers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Row, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import utcnow
from marketplace.db.together import Statement, perform
from marketplace.ledger.errors import BudgetShort, HoldResolved, InsufficientFunds, NoAccount, TransferDiffers
from marketplace.ledger.models import Transfer

MAX_AMOUNT = 10**15
"""Of one transfer; sums of thousands of these still fit 64 bits."""
MAX_LINKED = 1_000
PRIVACY = "RHO"
"""The currency of privacy budgets: millionths of ρ, which nobody can be asked to pay in."""


class Movement(Struct, frozen=True, kw_only=True):
    """One transfer to be made. Its id is its idempotency key; amount in the currency's smallest unit.

    kind: single | pending | post | void; the last two name their hold and take accounts and amount from it.
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


_APPLY = text("""
with given as (
  select g.n, g.id, g.kind, coalesce(p.debit_account_id, g.debit) as debit,
         coalesce(p.credit_account_id, g.credit) as credit, coalesce(p.amount, g.amount) as amount,
         g.pending_id, g.code, g.reference, g.query_id, g.dataset_id
  from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:debits as uuid[]), cast(:credits as uuid[]),
              cast(:amounts as bigint[]), cast(:holds as uuid[]), cast(:codes as text[]),
              cast(:reference as text[]), cast(:queries as uuid[]), cast(:datasets as uuid[]))
       with ordinality as g (id, kind, debit, credit, amount, pending_id, code, reference, query_id, dataset_id, n)
  left join transfer p on p.id = g.pending_id and p.kind = 'pending'
  where (g.pending_id is null) = (p.id is null)
), known as (
  select g.*, d.currency from given g
  join account d on d.id = g.debit join account c on c.id = g.credit and c.currency = d.currency
), earlier as (
  select (select count(*) from known k join transfer t on t.id = k.id) as same,
         (select count(*) from known k join transfer t on t.pending_id = k.pending_id and t.id <> k.id) as resolved
), side as (
  select debit as account_id, amount as debit, 0 as credit, kind from known
  union all select credit, 0, amount, kind from known
), delta as (
  select account_id,
         sum(debit) filter (where kind in ('single', 'post')) as debits_posted,
         sum(credit) filter (where kind in ('single', 'post')) as credits_posted,
         sum(case kind when 'pending' then debit when 'single' then 0 else -debit end) as debits_pending,
         sum(case kind when 'pending' then credit when 'single' then 0 else -credit end) as credits_pending
  from side group by account_id
), locked as (
  select b.* from account_balance b where b.account_id in (select account_id from delta)
  order by b.account_id for update
), checked as (
  select l.account_id, a.floor, a.currency,
         l.credits_posted - l.debits_posted - l.debits_pending - a.floor as available,
         coalesce(d.debits_posted, 0) + d.debits_pending - coalesce(d.credits_posted, 0) as needed
  from locked l join delta d using (account_id) join account a on a.id = l.account_id
), short as (
  select currency, available, needed from checked where needed > 0 and needed > available
  order by currency, available, needed limit 1
), verdict as (
  select (select count(*) from known) as known, e.same, e.resolved,
         (select currency from short) as currency, (select available from short) as available,
         (select needed from short) as needed
  from earlier e
), go as (
  select 1 from verdict where known = cardinality(cast(:ids as uuid[])) and same = 0 and resolved = 0
    and needed is null
), moved as (
  update account_balance b set debits_posted = b.debits_posted + coalesce(d.debits_posted, 0),
         credits_posted = b.credits_posted + coalesce(d.credits_posted, 0),
         debits_pending = b.debits_pending + d.debits_pending,
         credits_pending = b.credits_pending + d.credits_pending
  from delta d, go where b.account_id = d.account_id
), put as (
  insert into transfer (id, kind, debit_account_id, credit_account_id, amount, currency, pending_id, code,
                        reference, query_id, dataset_id, at)
  select k.id, k.kind, k.debit, k.credit, k.amount, k.currency, k.pending_id, k.code, k.reference, k.query_id,
         k.dataset_id, :at
  from known k, go order by k.n
)
select v.*, exists (select from go) as made from verdict v
""")


async def transfers(session: AsyncSession, movements: Sequence[Movement]) -> bool:
    """Make all of them, or none; False if these very ones were made before, which changes nothing.

    Raises InsufficientFunds, BudgetShort, TransferDiffers, HoldResolved, NoAccount.
    """
    try:
        verdict = (await perform(session, booking(movements))).one()
    except IntegrityError as e:
        raise TransferDiffers(id=str(movements[0].id)) from e
    if verdict.same:
        await _same_or_differs(session, movements)
        return False
    require_made(verdict, movements)
    return True


def booking(movements: Sequence[Movement]) -> Statement:
    """What makes all of them, or none; its one row is the verdict for `require_made`."""
    _check(movements)
    return Statement(_APPLY, _parameters(movements))


def require_made(verdict: Any, movements: Sequence[Movement]) -> None:
    """Raises what stood in the way: HoldResolved, NoAccount, InsufficientFunds, BudgetShort, TransferDiffers."""
    if verdict.made:
        return
    if verdict.same:
        raise TransferDiffers(id=str(movements[0].id))
    if verdict.resolved:
        raise HoldResolved(hold_id=str(movements[0].hold_id))
    if verdict.known < len(movements):
        raise NoAccount
    available, needed = int(verdict.available), int(verdict.needed)
    if verdict.currency == PRIVACY:
        raise BudgetShort(available_micro=available, needed_micro=needed)
    raise InsufficientFunds(available_vnd=available, needed_vnd=needed, missing_vnd=needed - available)


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
) -> None:
    """Set `amount` aside: it counts against the debit account's floor until posted or voided. Raises as above."""
    one = Movement(id=id, kind="pending", code=code, debit=debit, credit=credit, amount=amount, query_id=query_id)
    await transfers(session, [one])


async def post(session: AsyncSession, *, id: UUID, hold_id: UUID, code: str, query_id: UUID | None = None) -> None:
    """Make a hold final, for its whole amount. Raises HoldResolved, NoAccount, TransferDiffers."""
    await transfers(session, [Movement(id=id, kind="post", code=code, hold_id=hold_id, query_id=query_id)])


async def void(session: AsyncSession, *, id: UUID, hold_id: UUID, code: str, query_id: UUID | None = None) -> None:
    """Give a hold back. Raises HoldResolved, NoAccount, TransferDiffers."""
    await transfers(session, [Movement(id=id, kind="void", code=code, hold_id=hold_id, query_id=query_id)])


def _check(movements: Sequence[Movement]) -> None:
    """What only a fault of ours could ask for."""
    if not 0 < len(movements) <= MAX_LINKED:
        raise ValueError(f"{len(movements)} linked transfers")
    for each in movements:
        if (each.kind in ("post", "void")) != (each.hold_id is not None):
            raise ValueError(f"{each.kind} with hold {each.hold_id}")
        if each.hold_id is None and (each.amount is None or not 0 <= each.amount <= MAX_AMOUNT):
            raise ValueError(f"amount {each.amount}")


def _parameters(movements: Sequence[Movement]) -> dict[str, Any]:
    return {
        "ids": [each.id for each in movements],
        "kinds": [each.kind for each in movements],
        "debits": [each.debit for each in movements],
        "credits": [each.credit for each in movements],
        "amounts": [each.amount for each in movements],
        "holds": [each.hold_id for each in movements],
        "codes": [each.code for each in movements],
        "reference": [each.reference for each in movements],
        "queries": [each.query_id for each in movements],
        "datasets": [each.dataset_id for each in movements],
        "at": utcnow(),
    }


async def _same_or_differs(session: AsyncSession, movements: Sequence[Movement]) -> None:
    found = await session.execute(select(Transfer.__table__).where(Transfer.id.in_([m.id for m in movements])))
    rows = {row.id: row for row in found}
    for each in movements:
        row = rows.get(each.id)
        if row is None or not _same(each, row):
            raise TransferDiffers(id=str(each.id))


def _same(asked: Movement, row: Row[Any]) -> bool:
    if (asked.kind, asked.code, asked.query_id, asked.dataset_id, asked.reference) != (
        row.kind, row.code, row.query_id, row.dataset_id, row.reference,
    ):  # fmt: skip
        return False
    if asked.hold_id is not None:
        return bool(asked.hold_id == row.pending_id)
    return (asked.debit, asked.credit, asked.amount) == (
        row.debit_account_id, row.credit_account_id, row.amount,
    )  # fmt: skip
