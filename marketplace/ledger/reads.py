"""Balances, now or at an instant, and the trial balance."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.errors import NotFound
from marketplace.ledger.sides import EVERY, LAST_ID, SUMS, sides

ACCOUNT = text("""
  select a.id as account_id, a.kind, a.currency, a.floor, b.debits_posted, b.credits_posted, b.debits_pending,
         b.credits_pending
  from account a left join account_balance b on b.account_id = a.id where a.id = :id
""")
# Both bounds of `seq`, though the upper one excludes nothing that is visible: without it the planner takes what
# came after the fold for a third of all transfers, and reads them all. `is not distinct from` is an equality that
# no index serves: that of the account would be read from its first transfer on.
_LATER = """
  t.seq > (select seq from ledger_fold) and t.seq <= (select last_value from transfer_seq_seq)
"""
_ITS = "t.{0}_account_id is not distinct from cast(:id as uuid)"
_DAY = "cast(cast(:at as timestamptz) at time zone 'Asia/Ho_Chi_Minh' as date)"
_START = f"cast({_DAY} as timestamp) at time zone 'Asia/Ho_Chi_Minh'"
_FOLDED = "select account_id, debits_posted, credits_posted, debits_pending, credits_pending from account_day"
NOW = text(f"""
  select {SUMS} from (
    {_FOLDED} where account_id = :id
    union all {sides(f"{_ITS} and {_LATER}")}) part
""")
AT = text(f"""
  select {SUMS} from (
    {_FOLDED} where account_id = :id and day < {_DAY}
    union all {sides(f"t.{{0}}_account_id = :id and t.at >= {_START} and (t.at, t.id) <= (:at, :last)")}
    union all {sides(f"{_ITS} and {_LATER} and t.at < {_START}")}) part
""")
"""Days that are over are folded, but for what was booked since; of the day itself each transfer is read."""

NOT_EVEN = text(f"""
  with its as materialized (select id, organisation_id from account where kind = :kind)
  select its.organisation_id from its join (
    {_FOLDED} where account_id in (select id from its)
    union all {sides(f"t.{{0}}_account_id in (select id from its) and {_LATER}")}) part on part.account_id = its.id
  group by its.id, its.organisation_id having sum(part.credits_posted) <> sum(part.debits_posted)
""")
TRIAL = text(f"""
  select a.id as account_id, a.kind, a.currency, a.floor, coalesce(o.name, '') as organisation,
         coalesce(s.debits_posted, 0) as debits_posted, coalesce(s.credits_posted, 0) as credits_posted,
         coalesce(s.debits_pending, 0) as debits_pending, coalesce(s.credits_pending, 0) as credits_pending
  from account a left join organisation o on o.id = a.organisation_id
  left join ({EVERY}) s on s.account_id = a.id
  order by a.currency, a.kind, organisation, a.id
""")


class Balance(Struct, frozen=True, kw_only=True):
    """What went in and out of an account, in its currency's smallest unit."""

    account_id: UUID
    kind: str
    currency: str
    floor: int | None
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int

    @property
    def balance(self) -> int:
        """Credits less debits, holds not counted."""
        return self.credits_posted - self.debits_posted

    @property
    def available(self) -> int:
        """What can still be held or moved before the floor is reached."""
        return self.balance - self.debits_pending - (self.floor or 0)


class TrialLine(Balance, frozen=True, kw_only=True):
    """One account of the trial balance."""

    organisation: str


class CurrencyTotal(Struct, frozen=True, kw_only=True):
    """Debits and credits of a currency over all accounts."""

    currency: str
    debits: int
    credits: int


class TrialBalance(Struct, frozen=True, kw_only=True):
    """Every account, and the totals that must be equal."""

    lines: tuple[TrialLine, ...]
    totals: tuple[CurrencyTotal, ...]
    balanced: bool


async def balance(
    session: AsyncSession, account_id: UUID, at: datetime | None = None, last_id: UUID = LAST_ID
) -> Balance:
    """The account's balance, now or as it was at an instant, of that instant's transfers up to `last_id`.

    Now: of an account with a floor its row, of another the fold and what came after it. Raises NotFound.
    """
    row = (await session.execute(ACCOUNT, {"id": account_id})).one_or_none()
    if row is None:
        raise NotFound(what="account")
    fields: dict[str, Any] = dict(row._mapping)
    if at is not None:
        summed = await session.execute(AT, {"id": account_id, "at": at, "last": last_id})
        fields |= summed.one()._mapping
    elif row.debits_posted is None:
        fields |= (await session.execute(NOW, {"id": account_id})).one()._mapping
    return Balance(**fields)


async def not_even(session: AsyncSession, kind: str) -> list[UUID]:
    """Organisations whose account of that kind, one without a floor, is not at nought: by the fold and what came
    after it, not by all that was ever booked."""
    return list((await session.execute(NOT_EVEN, {"kind": kind})).scalars())


async def trial_balance(session: AsyncSession) -> TrialBalance:
    """Every account from its transfers alone, and whether debits equal credits per currency."""
    lines = tuple(TrialLine(**row._mapping) for row in await session.execute(TRIAL))
    totals = tuple(
        CurrencyTotal(
            currency=currency,
            debits=sum(line.debits_posted for line in lines if line.currency == currency),
            credits=sum(line.credits_posted for line in lines if line.currency == currency),
        )
        for currency in sorted({line.currency for line in lines})
    )
    return TrialBalance(lines=lines, totals=totals, balanced=all(each.debits == each.credits for each in totals))
