"""What the ledger says of a startup's paid-in money."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from marketplace.db.engine import Database
from marketplace.errors import NotFound
from marketplace.ledger.accounts import account_id
from marketplace.ledger.reads import balance, trial_balance

KINDS = ("wallet", "refunding", "disputed", "owed")


async def money(database: Database, organisation_id: UUID) -> dict[str, int]:
    """đồng by account, those with nothing left out."""
    found = {}
    async with database.reading() as session:
        for kind in KINDS:
            try:
                amount = (await balance(session, account_id(organisation_id, kind))).balance
            except NotFound:
                amount = 0
            if amount:
                found[kind] = amount
    return found


_AGREE = text("""
    with mine as (select id, amount_vnd, top_up_id from payment where organisation_id = :organisation),
    moved as (select reference, code, amount from transfer where currency = 'VND'),
    paid as (
        select p.id, p.amount_vnd, t.amount as moved, e.price_vnd as logged from mine p
        left join moved t on t.reference in ('stripe:' || p.id, p.id) and t.code = 'top_up'
        left join event e on e.body ->> 'payment' = p.id and e.name = 'topup:pay'
            or 'bank:' || (e.body ->> 'bank_reference') = p.id and e.name = 'bankline:credit'),
    back as (
        select r.id::text, r.state,
               (select count(*) from moved t where t.reference = 'refund:' || r.id) as steps,
               (select count(*) from event e where e.body ->> 'refund' = r.id::text
                and e.name in ('refund:pay', 'refund:fail')) as told
        from refund r where r.payment_id in (select id from mine)),
    fought as (
        select d.id, d.state,
               (select count(*) from moved t where t.reference = 'stripe:' || d.id) as steps,
               (select count(*) from event e where e.body ->> 'dispute' = d.id) as told
        from dispute d where d.payment_id in (select id from mine))
    select 'payment ' || id as what from paid where amount_vnd is distinct from moved
        or amount_vnd is distinct from logged
    union all select 'refund ' || id || ' ' || state from back
        where steps < case when state in ('paid', 'failed') then 2 else 1 end
           or told < case when state in ('paid', 'failed') then 1 else 0 end
    union all select 'dispute ' || id || ' ' || state from fought
        where steps <> told or steps <> case state when 'open' then 1 else 2 end
    union all select 'order ' || t.id from top_up t where t.organisation_id = :organisation
        and (t.state = 'paid') <> exists (select from mine where mine.top_up_id = t.id)
""")


async def agree(database: Database, organisation_id: UUID) -> list[str]:
    """Where orders, payments, refunds, disputes, transfers and the log differ; each credit is there once."""
    return [row.what for row in await database.all(_AGREE, {"organisation": organisation_id})]


async def in_balance(database: Database) -> bool:
    """Debits equal credits, đồng and dollars."""
    async with database.reading() as session:
        return (await trial_balance(session)).balanced
