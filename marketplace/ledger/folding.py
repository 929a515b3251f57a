"""Folds transfers into sums of an account and a day, so that a balance is read without reading them again.

A fold must lose no transfer, and transfers are committed in another order than they are numbered: when number 12
is there, number 11 may still be on its way. So a fold goes only as far as nobody can still be:

1. read the last number given, N;
2. note every transaction that holds the lock which an INSERT into `transfer` takes before it asks for its numbers,
   and keeps until it has ended; who was given a number up to N and has not ended is among them;
3. wait until all these have ended. Then each number up to N is committed or will never be.

Clocks play no part in it, nor does what a transaction says of its instant. `ledger reconcile` adds up again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import text

from marketplace.db.engine import Database, DatabaseBusy
from marketplace.ledger.sides import SUMS, sides

WAIT_MAX_S = 30.0
_POLL_S = 0.02
STEP = 250_000
"""Transfers folded in one transaction."""

_GIVEN = text("""
select case when is_called then last_value else 0 end as last, (select seq from ledger_fold) as folded
from transfer_seq_seq
""")
WRITERS = text("""
select virtualtransaction from pg_locks
where locktype = 'relation' and relation = 'transfer'::regclass and mode = 'RowExclusiveLock'
    and database = (select oid from pg_database where datname = current_database())
""")
_FROM = text("select seq from ledger_fold where id = 1 for update")
_FOLD = text(f"""
with done as (
    update ledger_fold set seq = :to where id = 1
)
insert into account_day as a (account_id, day, debits_posted, credits_posted, debits_pending, credits_pending)
select account_id, day, {SUMS}
from ({sides("t.seq > :from and t.seq <= :to", more=", (t.at at time zone 'Asia/Ho_Chi_Minh')::date as day")}) side
group by account_id, day order by account_id, day
on conflict (account_id, day) do update set debits_posted = a.debits_posted + excluded.debits_posted,
    credits_posted = a.credits_posted + excluded.credits_posted,
    debits_pending = a.debits_pending + excluded.debits_pending,
    credits_pending = a.credits_pending + excluded.credits_pending
""")


async def fold(database: Database) -> int:
    """Fold all that was booked when it was called. How far it got. Raises DatabaseBusy: a writer does not end."""
    given: Any = await database.one(_GIVEN, {})
    if given.last > given.folded:
        await writers_ended(database)
    at = int(given.folded)
    while at < given.last:
        async with database.session() as session:
            at = int((await session.execute(_FROM)).scalar_one())  # another process may have folded meanwhile
            to = min(at + STEP, given.last)
            if at < to:
                await session.execute(_FOLD, {"from": at, "to": to})
            at = max(at, to)
    return at


async def writers_ended(database: Database) -> None:
    """Wait until every transaction that writes transfers at this moment has ended; those that begin later are not
    waited for. Raises DatabaseBusy after WAIT_MAX_S."""
    until = asyncio.get_running_loop().time() + WAIT_MAX_S
    writing = await _writers(database)
    while writing:
        if asyncio.get_running_loop().time() > until:
            raise DatabaseBusy
        await asyncio.sleep(_POLL_S)
        writing &= await _writers(database)


async def _writers(database: Database) -> set[str]:
    return {row.virtualtransaction for row in await database.all(WRITERS, {})}
