"""A party's account and its statements by month."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.billing.charged import charged_lines
from marketplace.billing.schemas import Invoice, InvoiceLine, TransferView, WalletView
from marketplace.ledger.accounts import account_id
from marketplace.ledger.reads import balance
from marketplace.metering.reads import OWNERS

RECENT_TRANSFERS = 50
ACCOUNT_OF = {"startup": "wallet", "owner": "earnings", "operator": "platform", "regulator": "state_budget"}
OWN = ("wallet", "earnings")

_TRANSFERS = text("""
    select id, at, kind, code, amount_vnd, query_id, reference from (
      (select id, at, kind, code, amount as amount_vnd, query_id, reference from transfer
       where credit_account_id = :account order by at desc, id desc limit :rows)
      union all
      (select id, at, kind, code, -amount, query_id, reference from transfer
       where debit_account_id = :account order by at desc, id desc limit :rows)) both_sides
    order by at desc, id desc limit :rows
""")

_INVOICES = """
    select to_char(u.at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM') as month, {dataset} as dataset_id,
           {slug} as dataset_slug, count(distinct u.query_id) as queries, sum(u.bytes)::bigint as bytes,
           sum({amount})::bigint as amount_vnd
    from usage u left join dataset d on d.id = u.dataset_id
    left join transfer o on o.query_id = u.query_id and o.dataset_id = u.dataset_id and o.code = 'share_owner'
    left join transfer s on s.query_id = u.query_id and s.dataset_id = u.dataset_id and s.code = 'share_state'
    left join transfer p on p.query_id = u.query_id and p.dataset_id = u.dataset_id and p.code = 'share_partner'
    left join transfer x on x.query_id = u.query_id and x.dataset_id = u.dataset_id and x.code = 'share_tax'
    where {side} and u.at >= date_trunc('month', now() at time zone 'Asia/Ho_Chi_Minh')
          at time zone 'Asia/Ho_Chi_Minh' - make_interval(months => :months - 1)
    group by 1, 2, 3 order by 1 desc, 6 desc, 3
"""
_SIDES = {
    "startup": {"side": "u.organisation_id = :party", "amount": "u.price_vnd"},
    "owner": {
        "side": f"({OWNERS})",
        "amount": "coalesce(case when u.owner_id = :party then o.amount else p.amount end, 0)",
    },
    "regulator": {"side": "true", "amount": "coalesce(s.amount, 0)"},
    "operator": {
        "side": "true",
        "amount": "u.price_vnd - coalesce(o.amount, 0) - coalesce(p.amount, 0) - coalesce(s.amount, 0)"
        " - coalesce(x.amount, 0)",
    },
}


async def wallet(session: AsyncSession, caller: Caller) -> WalletView:
    """The account of the caller's party with its newest entries. Raises NotFound if it was never opened."""
    kind = ACCOUNT_OF[caller.organisation_kind]
    whose = caller.organisation_id if kind in OWN else None
    key = account_id(whose, kind)
    found = await balance(session, key)
    return WalletView(
        account=kind,  # type: ignore[arg-type]  # one of the four above
        balance_vnd=found.balance,
        held_vnd=found.debits_pending,
        available_vnd=found.available,
        transfers=await _recent(session, key),
    )


async def invoices(session: AsyncSession, caller: Caller, months: int) -> tuple[Invoice, ...]:
    """Statements of the last `months` months, this one included; months without any are left out."""
    kind = caller.organisation_kind
    each = kind in ("startup", "owner")
    dataset, slug = ("u.dataset_id", "d.slug") if each else ("null::uuid", "null::text")
    statement = text(_INVOICES.format(dataset=dataset, slug=slug, **_SIDES[kind]))
    rows = await session.execute(statement, {"party": caller.organisation_id, "months": months})
    by_month: dict[str, list[InvoiceLine]] = defaultdict(list)
    for row in rows:
        shown = dict(row._mapping)
        by_month[shown.pop("month")].append(InvoiceLine(code="query", **shown))
    for month, line in await charged_lines(session, kind=kind, party_id=caller.organisation_id, months=months):
        by_month[month].append(line)
    found = []
    for month in sorted(by_month, reverse=True):
        lines = tuple(
            sorted(by_month[month], key=lambda line: (-line.amount_vnd, line.dataset_slug or "", line.code))
        )
        total = sum(line.amount_vnd for line in lines)
        side = "cost" if kind == "startup" else "earning"
        found.append(Invoice(month=month, side=side, lines=lines, total_vnd=total))  # type: ignore[arg-type]
    return tuple(found)


async def _recent(session: AsyncSession, key: UUID) -> tuple[TransferView, ...]:
    rows = await session.execute(_TRANSFERS, {"account": key, "rows": RECENT_TRANSFERS})
    return tuple(TransferView(**row._mapping) for row in rows)
