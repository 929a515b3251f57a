"""Payouts and statements as their parties see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.billing.charging import shares_of_charge
from marketplace.billing.split import SHARES_LAW, VAT_LAW
from marketplace.errors import NotFound
from marketplace.invoices.months import month_of
from marketplace.payouts.bank_file import Instruction, transfers_file
from marketplace.payouts.booking import earnings
from marketplace.payouts.errors import NotReleased
from marketplace.payouts.schemas import (
    AccountView,
    BatchDetail,
    BatchList,
    BatchView,
    OddLine,
    OddList,
    PayoutList,
    PayoutView,
    Statement,
    StatementLine,
)

MOST_ROWS = 200
_ACCOUNT = text("""
    select id, bank_code, right(account_number, 4) as last, holder, set_at from payout_account
    where owner_id = :owner order by id desc limit 1
""")
_BATCH = """
    select b.id, b.period, b.state, sum(p.amount_vnd)::bigint as total_vnd, count(*) as payouts, b.proposed_by,
           b.proposed_at, b.decided_by, b.decided_at
    from payout_batch b join payout p on p.batch_id = b.id
"""
_BATCHES = text(f"{_BATCH} group by b.id order by b.id desc limit {MOST_ROWS}")
_ONE = text(f"{_BATCH} where b.id = :id group by b.id")
_PAYOUTS = """
    select p.id, p.batch_id, b.period, p.owner_id, o.name as owner_name, p.amount_vnd, p.reference, p.state,
           coalesce((select n.reason from payout_notice n where n.payout_id = p.id and n.status = 'RETURNED'
            order by n.read_at limit 1), t.trouble) as reason
    from payout p join payout_batch b on b.id = p.batch_id join organisation o on o.id = p.owner_id
    left join payout_transfer t on t.payout_id = p.id
"""
_OF_BATCH = text(f"{_PAYOUTS} where p.batch_id = :id order by p.id")
_OF_OWNER = text(
    f"{_PAYOUTS} where p.owner_id = :owner and p.state not in ('proposed', 'cancelled') "
    f"order by p.id desc limit {MOST_ROWS}"
)
_INSTRUCTIONS = text("""
    select p.reference, a.bank_code, a.account_number, a.holder, p.amount_vnd
    from payout p join payout_account a on a.id = p.account_id
    where p.batch_id = :id and a.bank_code <> 'stripe' order by p.id
""")
# What was read again later and settled something, under the same number of the bank's, is odd no more.
_ODD = text(f"""
    select body ->> 'bank_reference' as bank_reference, body ->> 'reference' as reference,
           body ->> 'status' as status, price_vnd as amount_vnd, body ->> 'why' as why,
           min(at) as first_read_at, max(at) as last_read_at, count(*) as times
    from event e where name = 'payout:odd' and not exists (
        select from payout_notice n join payout p on p.id = n.payout_id
        where n.bank_reference = e.body ->> 'bank_reference' and n.status = e.body ->> 'status'
        and n.amount_vnd = e.price_vnd and p.reference = e.body ->> 'reference' and e.body ->> 'why' <> 'differs')
    group by 1, 2, 3, 4, 5 order by 7 desc, 1 limit {MOST_ROWS}
""")
_BALANCE = text("""
    select coalesce(sum(case when credit_account_id = :account then amount else -amount end), 0)::bigint as vnd
    from transfer where (credit_account_id = :account or debit_account_id = :account)
    and kind in ('single', 'post') and at < :until
""")
_LINES = text("""
    with mine as (
        select distinct query_id, dataset_id from transfer
        where (credit_account_id = :account or debit_account_id = :account)
        and code in ('share_owner', 'share_partner', 'refund_owner', 'refund_partner')
        and at >= :since and at < :until
    ), moved as (
        select t.query_id, t.dataset_id, t.code,
               case when t.code in ('query_charge', 'share_owner', 'share_partner', 'share_state', 'share_tax')
                    then t.amount else -t.amount end as vnd,
               case when t.code like 'share%' then t.credit_account_id else t.debit_account_id end as side
        from transfer t join mine m on m.query_id = t.query_id and m.dataset_id = t.dataset_id
        where t.kind in ('single', 'post') and t.at >= :since and t.at < :until
        and t.code in ('query_charge', 'query_refund', 'share_owner', 'share_partner', 'share_state', 'share_tax',
                       'refund_owner', 'refund_partner', 'refund_state', 'refund_tax')
    )
    select m.dataset_id, coalesce(d.slug, '') as dataset_slug, count(distinct m.query_id) as queries,
           sum(vnd) filter (where code in ('query_charge', 'query_refund'))::bigint as charged_vnd,
           coalesce(sum(vnd) filter (where code like '%\\_owner' or code like '%\\_partner'), 0)::bigint
               as owners_vnd,
           coalesce(sum(vnd) filter (where (code like '%\\_owner' or code like '%\\_partner')
                                     and side = :account), 0)::bigint as owner_vnd,
           coalesce(sum(vnd) filter (where code like '%\\_state'), 0)::bigint as state_vnd,
           coalesce(sum(vnd) filter (where code like '%\\_tax'), 0)::bigint as tax_vnd
    from moved m left join dataset d on d.id = m.dataset_id group by m.dataset_id, d.slug order by 4 desc, 1
""")
# By the instant of the transfer, as the balances are: a charge begun before midnight may be booked after it.
_CHARGES = text("""
    select c.dataset_id, coalesce(d.slug, '') as dataset_slug, c.code, c.amount_vnd, c.at, c.owner_id,
           a.partner_id, a.lead_basis_points
    from charge c join agreement a on a.id = c.agreement_id join transfer t on t.id = c.transfer_id
    left join dataset d on d.id = c.dataset_id
    where (c.owner_id = :owner or a.partner_id = :owner) and t.at >= :since and t.at < :until
    order by c.dataset_id, c.code
""")
_PAID = text("""
    select coalesce(sum(amount) filter (where code = 'payout_release'), 0)::bigint as paid_out_vnd,
           coalesce(sum(amount) filter (where code <> 'payout_release'), 0)::bigint as returned_vnd
    from transfer where (credit_account_id = :account or debit_account_id = :account)
    and code in ('payout_release', 'payout_return', 'payout_refused', 'payout_reversed')
    and at >= :since and at < :until
""")


async def read_account(session: AsyncSession, owner_id: UUID) -> AccountView:
    """The account in force. Raises NotFound if none was set."""
    row = (await session.execute(_ACCOUNT, {"owner": owner_id})).one_or_none()
    if row is None:
        raise NotFound(what="payout_account")
    return AccountView(**row._mapping)


async def list_batches(session: AsyncSession) -> BatchList:
    """The newest."""
    return BatchList(items=tuple(BatchView(**row._mapping) for row in await session.execute(_BATCHES)))


async def read_batch(session: AsyncSession, batch_id: UUID) -> BatchDetail:
    """Raises NotFound."""
    row = (await session.execute(_ONE, {"id": batch_id})).one_or_none()
    if row is None:
        raise NotFound(what="payout_batch")
    items = tuple(PayoutView(**each._mapping) for each in await session.execute(_OF_BATCH, {"id": batch_id}))
    return BatchDetail(**row._mapping, items=items)


async def list_odd(session: AsyncSession) -> OddList:
    """What the bank told that fits nothing here."""
    return OddList(items=tuple(OddLine(**row._mapping) for row in await session.execute(_ODD)))


async def batch_file(session: AsyncSession, batch_id: UUID) -> bytes:
    """The bank's file of a released batch. Raises NotFound, NotReleased."""
    batch = await read_batch(session, batch_id)
    if batch.state != "released":
        raise NotReleased(state=batch.state)
    rows = await session.execute(_INSTRUCTIONS, {"id": batch_id})
    return transfers_file(str(batch_id), [Instruction(**row._mapping) for row in rows])


async def list_payouts(session: AsyncSession, owner_id: UUID) -> PayoutList:
    """An owner's, once they were released."""
    rows = await session.execute(_OF_OWNER, {"owner": owner_id})
    return PayoutList(items=tuple(PayoutView(**row._mapping) for row in rows))


async def read_statement(session: AsyncSession, owner_id: UUID, period: str) -> Statement:
    """An owner's month, from the ledger alone. Raises Invalid."""
    month = month_of(period)
    span = {"account": earnings(owner_id), "since": month.since, "until": month.until}
    charged = await session.execute(_CHARGES, {"owner": owner_id, "since": month.since, "until": month.until})
    lines = (
        *(_line(row) for row in await session.execute(_LINES, span)),
        *_charge_lines(charged.all(), owner_id),
    )
    paid = (await session.execute(_PAID, span)).one()
    opening = await session.scalar(_BALANCE, {"account": span["account"], "until": month.since})
    closing = await session.scalar(_BALANCE, {"account": span["account"], "until": month.until})
    return Statement(
        period=period,
        owner_id=owner_id,
        opening_vnd=opening,
        lines=lines,
        earned_vnd=sum(line.owner_vnd for line in lines),
        paid_out_vnd=paid.paid_out_vnd,
        returned_vnd=paid.returned_vnd,
        closing_vnd=closing,
        law=(SHARES_LAW, VAT_LAW),
    )


def _line(row: Any) -> StatementLine:
    others = row.owners_vnd - row.owner_vnd
    return StatementLine(
        code="query",
        dataset_id=row.dataset_id,
        dataset_slug=row.dataset_slug,
        queries=row.queries,
        charged_vnd=row.charged_vnd or 0,
        owner_vnd=row.owner_vnd,
        other_owner_vnd=others,
        state_vnd=row.state_vnd,
        tax_vnd=row.tax_vnd,
        platform_vnd=(row.charged_vnd or 0) - row.owners_vnd - row.state_vnd - row.tax_vnd,
    )


def _charge_lines(rows: Sequence[Any], owner_id: UUID) -> Iterator[StatementLine]:
    """A line a dataset and kind of charge, shared as `billing.charging` did on the day."""
    for (dataset_id, code), group in groupby(rows, key=lambda row: (row.dataset_id, row.code)):
        parts = [_charge_parts(row, owner_id) for row in group]
        charged, owner, other, state, tax = (sum(part[i] for part in parts) for i in range(5))
        yield StatementLine(
            code=code,
            dataset_id=dataset_id,
            dataset_slug=next(row.dataset_slug for row in rows if row.dataset_id == dataset_id),
            queries=len(parts),
            charged_vnd=charged,
            owner_vnd=owner,
            other_owner_vnd=other,
            state_vnd=state,
            tax_vnd=tax,
            platform_vnd=charged - owner - other - state - tax,
        )


def _charge_parts(row: Any, owner_id: UUID) -> tuple[int, int, int, int, int]:
    """Charged, this owner's, the other owner's, the state's, the tax."""
    lead_basis_points = row.lead_basis_points if row.partner_id is not None else None
    shares = shares_of_charge(row.code, row.amount_vnd, lead_basis_points=lead_basis_points, at=row.at)
    mine, other = (shares.lead, shares.partner) if row.owner_id == owner_id else (shares.partner, shares.lead)
    return row.amount_vnd, mine, other, shares.state, shares.tax
