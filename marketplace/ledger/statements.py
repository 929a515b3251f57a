"""An account's statement from one instant to another: opening, lines in pages, closing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.ledger.reads import balance

_FIRST_ID = UUID(int=0)
_SIDE = """
    (select id, at, kind, code, reference, query_id, dataset_id, {other} as other_account_id,
            case when kind in ('single', 'post') then {sign} amount else 0 end as amount,
            case kind when 'pending' then amount when 'single' then 0 else -released end as held
     from transfer where {side} = :account and (at, id) > (:after_at, :after_id) and at < :until
     order by at, id limit :rows)
"""
_LINES = text(f"""
    {_SIDE.format(side="credit_account_id", other="debit_account_id", sign="")}
    union all {_SIDE.format(side="debit_account_id", other="credit_account_id", sign="-")}
    order by at, id limit :rows
""")


class StatementLine(Struct, frozen=True, kw_only=True):
    """One transfer. `amount`: what it changed of the balance, `held`: of what is held, to come in or go out;
    `balance`: after it."""

    id: UUID
    at: datetime
    kind: str
    code: str
    reference: str | None
    query_id: UUID | None
    dataset_id: UUID | None
    other_account_id: UUID
    amount: int
    held: int
    balance: int


class AccountStatement(Struct, frozen=True, kw_only=True):
    """From `since` until before `until`. `next`: the cursor of the next page of lines, None on the last."""

    account_id: UUID
    currency: str
    since: datetime
    until: datetime
    opening: int
    closing: int
    lines: tuple[StatementLine, ...]
    next: str | None


async def statement(
    session: AsyncSession,
    account_id: UUID,
    *,
    since: datetime,
    until: datetime,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> AccountStatement:
    """A page of an account's statement, oldest lines first. Raises NotFound, Invalid for a cursor of others.

    Of a closed period it never changes; of an open one it may, by what is booked into it later.
    """
    opening = await balance(session, account_id, at=since, last_id=_FIRST_ID)
    closing = await balance(session, account_id, at=until, last_id=_FIRST_ID)
    after = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else (since, _FIRST_ID)
    running = (await balance(session, account_id, at=after[0], last_id=after[1])).balance
    rows = await session.execute(
        _LINES,
        {"account": account_id, "after_at": after[0], "after_id": after[1], "until": until, "rows": limit + 1},
    )
    shown, more = cut(rows.all(), limit)
    lines = []
    for row in shown:
        running += row.amount
        lines.append(StatementLine(**row._mapping, balance=running))
    return AccountStatement(
        account_id=account_id,
        currency=opening.currency,
        since=since,
        until=until,
        opening=opening.balance,
        closing=closing.balance,
        lines=tuple(lines),
        next=encode_cursor(more.at, more.id) if more else None,
    )
