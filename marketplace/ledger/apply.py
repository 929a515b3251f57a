"""The one statement that makes linked transfers, or tells why it does not.

It locks the balances of accounts with a floor (in the order of their ids, so that no two transfers wait for each
other), checks, and only then writes. A line that cannot be made at all is a `fault` of its own; a floor is held
against the whole: what the lines take from an account must be there before, whatever they bring to it, so that
their order does not matter.
"""

from __future__ import annotations

from sqlalchemy import text

APPLY = text("""
with given as materialized (
  select g.n, g.id, g.kind, coalesce(p.debit_account_id, g.debit) as debit,
         coalesce(p.credit_account_id, g.credit) as credit,
         case g.kind when 'void' then p.amount else coalesce(g.amount, p.amount) end as amount,
         case when g.pending_id is not null then p.amount end as released, d.currency,
         d.floor is not null as debit_floor, c.floor is not null as credit_floor,
         g.pending_id, g.code, g.reference, g.query_id, g.dataset_id, g.expires_at, g.at,
         t.id is not null as same,
         case when t.id is not null then null
              when d.id is null or c.id is null then 'unknown'
              when d.currency <> c.currency then 'mixed'
              when g.at < (select max(until) from period_fence) then 'closed'
              when g.pending_id is null then null
              when r.id is not null then 'resolved'
              when g.kind = 'post' and p.expires_at <= clock_timestamp() then 'expired'
              when g.amount > p.amount then 'over'
         end as fault
  from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:debits as uuid[]), cast(:credits as uuid[]),
              cast(:amounts as bigint[]), cast(:holds as uuid[]), cast(:codes as text[]),
              cast(:references as text[]), cast(:queries as uuid[]), cast(:datasets as uuid[]),
              cast(:expiries as timestamptz[]), cast(:ats as timestamptz[]))
       with ordinality as g (id, kind, debit, credit, amount, pending_id, code, reference, query_id, dataset_id,
                             expires_at, at, n)
  left join lateral (select * from transfer where id = g.pending_id and kind = 'pending' limit 1) p on true
  left join lateral (select id from transfer where pending_id = g.pending_id limit 1) r on true
  left join lateral (select id from transfer where id = g.id limit 1) t on true
  left join lateral (select * from account where id = coalesce(p.debit_account_id, g.debit) limit 1) d on true
  left join lateral (select * from account where id = coalesce(p.credit_account_id, g.credit) limit 1) c on true
), delta as materialized (
  select account_id, sum(debit_posted)::bigint as debit_posted, sum(credit_posted)::bigint as credit_posted,
         sum(debit_pending)::bigint as debit_pending, sum(credit_pending)::bigint as credit_pending,
         sum(taken)::bigint as taken
  from (
    select debit as account_id, case when kind in ('single', 'post') then amount else 0 end as debit_posted,
           0 as credit_posted, case kind when 'pending' then amount when 'single' then 0 else -released end
             as debit_pending, 0 as credit_pending, case when pending_id is null then amount else 0 end as taken
    from given where debit_floor
    union all
    select credit, 0, case when kind in ('single', 'post') then amount else 0 end, 0,
           case kind when 'pending' then amount when 'single' then 0 else -released end, 0
    from given where credit_floor
  ) side group by account_id
), locked as materialized (
  select d.account_id, b.credits_posted - b.debits_posted - b.debits_pending as left_over
  from (select account_id from delta order by account_id) d
  cross join lateral (select * from account_balance where account_id = d.account_id for update) b
), short as materialized (
  select l.account_id, a.currency, l.left_over - a.floor as available, d.taken as needed
  from locked l join delta d using (account_id) join account a on a.id = l.account_id
  where d.taken > 0 and d.taken > l.left_over - a.floor order by a.currency, a.id limit 1
), verdict as materialized (
  select (select count(*) from given where same) as same, f.n as fault_n, f.fault, s.account_id, s.currency,
         s.available, s.needed
  from (select) one left join (select n, fault from given where fault is not null order by n limit 1) f on true
  left join short s on true
), go as materialized (
  select from verdict where same = 0 and fault is null and needed is null
), moved as (
  update account_balance b set debits_posted = b.debits_posted + d.debit_posted,
         credits_posted = b.credits_posted + d.credit_posted,
         debits_pending = b.debits_pending + d.debit_pending,
         credits_pending = b.credits_pending + d.credit_pending
  from locked l join delta d using (account_id), go where b.account_id = l.account_id
), put as (
  insert into transfer (id, kind, debit_account_id, credit_account_id, amount, released, currency, pending_id,
                        expires_at, code, reference, query_id, dataset_id, at)
  select k.id, k.kind, k.debit, k.credit, k.amount, k.released, k.currency, k.pending_id, k.expires_at, k.code,
         k.reference, k.query_id, k.dataset_id, k.at
  from given k, go order by k.n
)
select v.same, v.fault, v.currency, v.available, v.needed, exists (select from go) as made,
       case when v.fault is not null then v.fault_n when v.needed is not null then (
           select min(n) from (select n, sum(amount) over (order by n) as running from given
                               where debit = v.account_id and pending_id is null) taken
           where running > v.available) end::int as line
from verdict v
""")
# `lateral … limit 1` is one index lookup a line, whatever the planner believes: a plan made while a table is small
# is kept while it grows, and a join would then read all of it. `moved` reads `locked` though it needs nothing of
# it: else, where no floor is looked at, PostgreSQL would leave it out, and lock in any order.
"""`same`: how many of them are there already; `line`: which of them, from 1, stands in the way."""
