"""Whether everything that must agree agrees: transfers, balances, folds, holds, usage, the log, and the outside.

Each check is SQL that finds what breaks it. Tables above the ledger are read by name: it knows nobody above it.
Run it in `Database.snapshot`: then all checks see one instant, and what is being booked looks like no fault.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.ledger.outside import Outside, Silent, compare
from marketplace.ledger.periods import period_hash
from marketplace.ledger.reads import trial_balance
from marketplace.ledger.sides import EVERY, SUMS, sides


class Difference(Struct, frozen=True, kw_only=True):
    """Two things that should agree and do not. `check` names the rule, `subject` what it is about; the ids are
    those that are known of it. Amounts in the currency's smallest unit; None: there is no such row."""

    check: str
    subject: str
    expected: int | None
    found: int | None
    query_id: UUID | None = None
    transfer_id: UUID | None = None
    account_id: UUID | None = None


_COLUMNS = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
_EACH_SUM = f"""
    cross join lateral (values {
    ", ".join(f"('{each}', coalesce(s.{each}, 0), coalesce(f.{each}, 0))" for each in _COLUMNS)
}) as sum (part, expected, found)
    where sum.expected <> sum.found
"""
"""Of two rows `s` and `f` of the four sums: each that differs, with its name."""
_VIET_NAM = "t.at at time zone 'Asia/Ho_Chi_Minh'"

CHECKS: dict[str, str] = {
    "balance_is_fold": f"""
        select f.account_id, sum.* from account_balance f left join ({EVERY}) s using (account_id) {_EACH_SUM}
    """,
    "fold_is_sum": f"""
        select account_id, account_id || ' ' || day as subject, sum.*
        from account_day f full join (
            select account_id, day, {SUMS} from ({
        sides("t.seq <= (select seq from ledger_fold)", more=f", ({_VIET_NAM})::date as day")
    }) side group by account_id, day) s using (account_id, day)
        {_EACH_SUM}
    """,
    "closed_period": f"""
        with month as (
            select account_id, period, {SUMS}
            from ({sides(more=f", to_char({_VIET_NAM}, 'YYYY-MM') as period")}) side group by account_id, period
        ), every as (
            select * from month
            union all select account_id, period, 0, 0, 0, 0
            from (select distinct account_id from month) a cross join period_close
        ), summed as (
            select account_id, period, {", ".join(f"sum({each}) as {each}" for each in _COLUMNS)}
            from every group by account_id, period
        ), up_to as (
            select account_id, period,
                   {", ".join(f"(sum({each}) over so_far)::bigint as {each}" for each in _COLUMNS)}
            from summed window so_far as (partition by account_id order by period)
        )
        select account_id, account_id || ' ' || period as subject, sum.*
        from period_balance s full join (select * from up_to where period in (select period from period_close)) f
            using (account_id, period)
        {_EACH_SUM}
    """,
    "closed_period_transfers": """
        select c.period as subject, c.transfers as expected,
               (select count(*) from transfer where at < f.until) as found
        from period_close c join period_fence f using (period)
        where f.until = (select max(until) from period_fence join period_close using (period))
            and c.transfers <> (select count(*) from transfer where at < f.until)
    """,
    "closed_period_logged": """
        select c.period as subject, null::bigint as expected, null::bigint as found
        from period_close c left join event e on e.id = c.event_id
        where e.body ->> 'trial_balance_sha256' is distinct from encode(c.hash, 'hex')
    """,
    "floor_held": """
        select b.account_id, a.floor as expected,
               b.credits_posted - b.debits_posted - b.debits_pending as found
        from account_balance b join account a on a.id = b.account_id
        where b.credits_posted - b.debits_posted - b.debits_pending < a.floor
    """,
    "floor_has_balance": """
        select a.id as account_id, 1 as expected, 0 as found from account a
        left join account_balance b on b.account_id = a.id where (a.floor is null) <> (b.account_id is null)
    """,
    "one_currency": """
        select t.id as transfer_id, t.query_id, null::bigint as expected, t.amount as found from transfer t
        left join account d on d.id = t.debit_account_id left join account c on c.id = t.credit_account_id
        where t.currency is distinct from d.currency or t.currency is distinct from c.currency
    """,
    "resolved_as_held": """
        select t.id as transfer_id, t.query_id, p.amount as expected, t.released as found from transfer t
        left join transfer p on p.id = t.pending_id and p.kind = 'pending'
        where t.pending_id is not null and (p.id is null
           or (t.released, t.debit_account_id, t.credit_account_id)
           <> (p.amount, p.debit_account_id, p.credit_account_id))
    """,
    "hold_not_forgotten": """
        select p.id as transfer_id, p.query_id, 0 as expected, p.amount as found from transfer p
        where p.kind = 'pending' and coalesce(p.expires_at, p.at) < :oldest
          and not exists (select from transfer t where t.pending_id = p.id)
    """,
    "query_is_held": """
        select l.hold_id as transfer_id, l.query_id, l.quote_vnd as expected, p.amount as found
        from query_line l left join transfer p on p.id = l.hold_id and p.kind = 'pending'
        where l.hold_id is not null and p.amount is distinct from l.quote_vnd
    """,
    "query_is_charged": """
        select q.id as query_id, q.charged_vnd as expected, h.posted as found
        from query q join (
            select l.query_id, count(*) as holds, count(t.id) as resolved,
                   coalesce(sum(t.amount) filter (where t.kind = 'post'), 0)::bigint as posted
            from query_line l left join transfer t on t.pending_id = l.hold_id
            where l.hold_id is not null group by l.query_id) h on h.query_id = q.id
        where case when q.state in ('queued', 'running') then h.resolved > 0
                   else h.resolved < h.holds or q.charged_vnd is distinct from h.posted end
    """,
    "usage_is_charged": """
        select coalesce(u.query_id, t.query_id) as query_id, t.transfer_id, u.price_vnd as expected,
               t.amount as found
        from usage u full join (select query_id, dataset_id, sum(amount)::bigint as amount,
                   (array_agg(id))[1] as transfer_id
            from transfer where kind = 'post' and code = 'query_charge' group by query_id, dataset_id) t
            on t.query_id = u.query_id and t.dataset_id = u.dataset_id
        where u.price_vnd is distinct from t.amount
    """,
    "usage_is_logged": """
        select coalesce(u.query_id, e.query_id) as query_id, u.price_vnd as expected, e.price_vnd as found
        from usage u full join (select query_id, dataset_id, sum(price_vnd)::bigint as price_vnd from event
            where name = 'query:settle' group by query_id, dataset_id) e
            on e.query_id = u.query_id and e.dataset_id = u.dataset_id
        where u.price_vnd is distinct from e.price_vnd
    """,
    "void_is_logged": """
        select coalesce(t.query_id, e.query_id) as query_id, t.id as transfer_id, t.amount as expected,
               e.price_vnd as found
        from (select * from transfer where kind = 'void' and code = 'query_void') t
        full join (select query_id, dataset_id, price_vnd from event where name = 'query:void') e
            on e.query_id = t.query_id and e.dataset_id = t.dataset_id
        where t.id is null or e.query_id is null
    """,
    "credit_is_logged": """
        select t.id as transfer_id, t.amount as expected, e.price_vnd as found
        from (select id, amount from transfer where code = 'wallet_credit') t
        full join (select cast(body ->> 'transfer' as uuid) as id, price_vnd from event
                   where name = 'wallet:credit') e on e.id = t.id
        where t.amount is distinct from e.price_vnd
    """,
    "bank_line_is_booked": """
        select t.id as transfer_id, coalesce('bank:' || l.bank_reference, t.reference) as subject,
               l.amount_vnd as expected, t.amount as found
        from bank_line l full join (select id, reference, amount from transfer where code = 'bank_line') t
            on t.reference = 'bank:' || l.bank_reference
        where l.amount_vnd is distinct from t.amount
    """,
    "bank_line_is_logged": """
        select 'bank:' || coalesce(l.bank_reference, e.bank_reference) as subject, l.amount_vnd as expected,
               e.price_vnd as found
        from bank_line l full join (select distinct body ->> 'bank_reference' as bank_reference, price_vnd
            from event where name in ('bankline:book', 'bankline:credit')) e using (bank_reference)
        where l.amount_vnd is distinct from e.price_vnd
    """,
    "shares_within_charge": """
        select s.query_id, t.amount as expected, s.amount as found
        from (select query_id, dataset_id, sum(amount)::bigint as amount from transfer
              where code in ('share_owner', 'share_partner', 'share_state', 'share_tax')
              group by query_id, dataset_id) s
        left join transfer t on t.query_id = s.query_id and t.dataset_id = s.dataset_id
             and t.kind = 'post' and t.code = 'query_charge'
        where t.amount is null or s.amount > t.amount
    """,
}
HOLD_LIFETIME_S = Config().hold_lifetime_s
_NAMED = ("query_id", "transfer_id", "account_id")


async def reconcile(
    session: AsyncSession, hold_lifetime_s: int = HOLD_LIFETIME_S, outside: Iterable[Outside | Silent] = ()
) -> tuple[Difference, ...]:
    """Every difference; empty if all agree.

    `hold_lifetime_s`: a hold older than this that nobody resolved is a difference, one that expires so long after
    its expiry. `outside`: what others say they moved.
    """
    oldest = utcnow() - timedelta(seconds=hold_lifetime_s)
    found: list[Difference] = []
    for check, statement in CHECKS.items():
        parameters = {"oldest": oldest} if ":oldest" in statement else {}
        rows = await session.execute(text(statement), parameters)
        found.extend(_named(check, row._mapping) for row in rows)
    found.extend([each async for each in _period_hashes(session)])
    trial = await trial_balance(session)
    found.extend(
        Difference(check="debits_equal_credits", subject=t.currency, expected=t.debits, found=t.credits)
        for t in trial.totals if t.debits != t.credits
    )  # fmt: skip
    for each in outside:
        found.extend(await _outside(session, each))
    return tuple(found)


async def _outside(session: AsyncSession, outside: Outside | Silent) -> list[Difference]:
    check = f"outside:{outside.name}"
    if isinstance(outside, Silent):
        return [Difference(check=check, subject="unavailable", expected=None, found=None)]
    return [
        Difference(
            check=check, subject=other.reference, expected=other.expected, found=other.found,
            transfer_id=other.transfer_id,
        )
        for other in await compare(session, outside)
    ]  # fmt: skip


async def _period_hashes(session: AsyncSession) -> AsyncIterator[Difference]:
    for row in (await session.execute(text("select period, hash, transfers from period_close"))).all():
        if await period_hash(session, row.period, row.transfers) != row.hash:
            yield Difference(check="closed_period_hash", subject=row.period, expected=None, found=None)


def _named(check: str, row: Any) -> Difference:
    check = f"{check}:{row['part']}" if "part" in row else check
    ids = {name: row.get(name) for name in _NAMED}
    subject = row.get("subject") or next((each for each in ids.values() if each is not None), "")
    return Difference(check=check, subject=str(subject), expected=row["expected"], found=row["found"], **ids)
