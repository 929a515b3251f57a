"""Balances, now or at an instant; the trial balance; whether everything that must agree agrees."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.errors import NotFound

_SIDES = """
  select account_id,
         coalesce(sum(debit) filter (where kind in ('single', 'post')), 0)::bigint as debits_posted,
         coalesce(sum(credit) filter (where kind in ('single', 'post')), 0)::bigint as credits_posted,
         coalesce(sum(case kind when 'pending' then debit when 'single' then 0 else -debit end), 0)::bigint
           as debits_pending,
         coalesce(sum(case kind when 'pending' then credit when 'single' then 0 else -credit end), 0)::bigint
           as credits_pending
  from (select debit_account_id as account_id, amount as debit, 0 as credit, kind from transfer {0}
        union all select credit_account_id, 0, amount, kind from transfer {1}) side
  group by account_id
"""
_EVERY = _SIDES.format("", "")
_ONE = _SIDES.format("where debit_account_id = :id and at <= :at", "where credit_account_id = :id and at <= :at")

BALANCE = text("""
  select a.id as account_id, a.kind, a.currency, a.floor, b.debits_posted, b.credits_posted, b.debits_pending,
         b.credits_pending
  from account a left join account_balance b on b.account_id = a.id where a.id = :id
""")
BALANCE_AT = text(_ONE)

TRIAL = text(f"""
  select a.id as account_id, a.kind, a.currency, a.floor, coalesce(o.name, '') as organisation,
         coalesce(s.debits_posted, 0) as debits_posted, coalesce(s.credits_posted, 0) as credits_posted,
         coalesce(s.debits_pending, 0) as debits_pending, coalesce(s.credits_pending, 0) as credits_pending
  from account a left join organisation o on o.id = a.organisation_id
  left join ({_EVERY}) s on s.account_id = a.id
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


class Difference(Struct, frozen=True, kw_only=True):
    """Two things that should agree and do not. `check` names the rule, `subject` the row."""

    check: str
    subject: str
    expected: int | None
    found: int | None


async def balance(session: AsyncSession, account_id: UUID, at: datetime | None = None) -> Balance:
    """The account's balance, now or as it was at an instant. Raises NotFound."""
    row = (await session.execute(BALANCE, {"id": account_id})).one_or_none()
    if row is None:
        raise NotFound(what="account")
    fields: dict[str, Any] = dict(row._mapping)
    if at is not None or row.debits_posted is None:
        summed = await session.execute(BALANCE_AT, {"id": account_id, "at": at or utcnow()})
        found = summed.one_or_none()
        for name in ("debits_posted", "credits_posted", "debits_pending", "credits_pending"):
            fields[name] = getattr(found, name) if found else 0
    return Balance(**fields)


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


CHECKS: dict[str, str] = {
    "balance_is_fold": f"""
        select b.account_id as subject, coalesce(s.{{0}}, 0) as expected, b.{{0}} as found
        from account_balance b left join ({_EVERY}) s using (account_id) where b.{{0}} <> coalesce(s.{{0}}, 0)
    """,
    "floor_held": """
        select b.account_id as subject, a.floor as expected,
               b.credits_posted - b.debits_posted - b.debits_pending as found
        from account_balance b join account a on a.id = b.account_id
        where b.credits_posted - b.debits_posted - b.debits_pending < a.floor
    """,
    "floor_has_balance": """
        select a.id as subject, 1 as expected, 0 as found from account a
        left join account_balance b on b.account_id = a.id where (a.floor is null) <> (b.account_id is null)
    """,
    "one_currency": """
        select t.id as subject, null::bigint as expected, t.amount as found from transfer t
        join account d on d.id = t.debit_account_id join account c on c.id = t.credit_account_id
        where t.currency <> d.currency or t.currency <> c.currency
    """,
    "resolved_as_held": """
        select t.id as subject, p.amount as expected, t.amount as found from transfer t
        join transfer p on p.id = t.pending_id
        where p.kind <> 'pending' or (t.amount, t.debit_account_id, t.credit_account_id)
           <> (p.amount, p.debit_account_id, p.credit_account_id)
    """,
    "hold_not_forgotten": """
        select p.id as subject, 0 as expected, p.amount as found from transfer p
        where p.kind = 'pending' and p.at < :oldest
          and not exists (select from transfer t where t.pending_id = p.id)
    """,
    "usage_is_charged": """
        select coalesce(u.query_id, t.query_id) as subject, u.price_vnd as expected, t.amount as found
        from usage u full join (select query_id, dataset_id, sum(amount)::bigint as amount from transfer
            where kind = 'post' and code = 'query_charge' group by query_id, dataset_id) t
            on t.query_id = u.query_id and t.dataset_id = u.dataset_id
        where u.price_vnd is distinct from t.amount
    """,
    "shares_within_charge": """
        select s.query_id as subject, t.amount as expected, s.amount as found
        from (select query_id, dataset_id, sum(amount)::bigint as amount from transfer
              where code in ('share_owner', 'share_partner', 'share_state', 'share_tax')
              group by query_id, dataset_id) s
        left join transfer t on t.query_id = s.query_id and t.dataset_id = s.dataset_id
             and t.kind = 'post' and t.code = 'query_charge'
        where t.amount is null or s.amount > t.amount
    """,
}
"""Rule → SQL that finds what breaks it. `usage` is read by name: the ledger knows nobody above it."""
HOLD_LIFETIME_S = Config().hold_lifetime_s
FOLDED = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")


async def reconcile(session: AsyncSession, hold_lifetime_s: int = HOLD_LIFETIME_S) -> tuple[Difference, ...]:
    """Every difference between transfers, balances, holds and usage; empty if all agree.

    `hold_lifetime_s`: a hold older than this that nobody resolved is a difference.
    """
    oldest = utcnow() - timedelta(seconds=hold_lifetime_s)
    found: list[Difference] = []
    for check, statement in CHECKS.items():
        for column in FOLDED if check == "balance_is_fold" else ("",):
            name = f"{check}:{column}" if column else check
            rows = await session.execute(text(statement.format(column)), {"oldest": oldest})
            found.extend(
                Difference(check=name, subject=str(row.subject), expected=row.expected, found=row.found)
                for row in rows
            )
    trial = await trial_balance(session)
    found.extend(
        Difference(check="debits_equal_credits", subject=t.currency, expected=t.debits, found=t.credits)
        for t in trial.totals if t.debits != t.credits
    )  # fmt: skip
    return tuple(found)
