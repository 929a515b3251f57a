"""Closing a month of CLOSE_USAGE queries, each with its hold, charge and shares, as settling leaves them."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import psycopg

from bench.figure import figure
from bench.home import fresh_home
from bench.ledger import CLIENTS, Parties, open_parties
from marketplace.config import Config
from marketplace.db.engine import Database, migration_url
from marketplace.ledger.accounts import account_id
from marketplace.ledger.folding import fold
from marketplace.ledger.periods import close_period
from marketplace.ledger.reads import balance

USAGE = int(os.environ.get("CLOSE_USAGE", "50000"))
GOAL_S_PER_MILLION = 60.0
PERIOD = "2020-01"
_HOLDS = """
    insert into transfer (id, kind, debit_account_id, credit_account_id, amount, currency, code, query_id, at)
    select overlay(gen_random_uuid()::text placing lpad(to_hex(n), 8, '0') from 1)::uuid, 'pending', wallet,
           %(platform)s, 1000, 'VND', 'query_hold', gen_random_uuid(),
           timestamptz '2020-01-01 00:00+07' + n * interval '1 month' / %(rows)s * 0.99
    from generate_series(1, %(rows)s) n
    join unnest(%(wallets)s::uuid[]) with ordinality w (wallet, k) on k = 1 + n %% cardinality(%(wallets)s::uuid[])
"""
_CHARGES = """
    insert into transfer (id, kind, debit_account_id, credit_account_id, amount, released, currency, pending_id,
        code, query_id, at)
    select gen_random_uuid(), 'post', debit_account_id, credit_account_id, amount, amount, 'VND', id,
           'query_charge', query_id, at
    from transfer where kind = 'pending'
"""
_SHARES = """
    insert into transfer (id, kind, debit_account_id, credit_account_id, amount, currency, code, query_id, at)
    select gen_random_uuid(), 'single', %(platform)s, share.account, share.amount, 'VND', share.code, query_id, at
    from transfer t
    cross join (values (%(owner)s, 700, 'share_owner'), (%(state)s, 100, 'share_state'))
        share (account, amount, code)
    where t.kind = 'post'
"""


async def figures() -> list[dict[str, Any]]:
    """Seconds for a million usage rows, from CLOSE_USAGE of them: a close reads each transfer once."""
    async with fresh_home(connections=CLIENTS) as (config, database):
        parties = await open_parties(database)
        await asyncio.to_thread(_book, config, parties)
        started = time.perf_counter()
        closing = await close_period(database, PERIOD)
        closed_s = time.perf_counter() - started
        assert closing.transfers == 4 * USAGE
        started = time.perf_counter()
        await fold(database)
        folded_s = time.perf_counter() - started
        balance_ms = await _balance_ms(database)
    return [
        figure(
            "ledger: close of a million usage rows", closed_s / USAGE * 1e6, "s", n=USAGE, goal=GOAL_S_PER_MILLION
        ),
        figure("ledger: fold of a million transfers", folded_s / (4 * USAGE) * 1e6, "s", n=4 * USAGE),
        figure("ledger: balance of the busiest account", balance_ms, "ms", n=4 * USAGE),
    ]


def _book(config: Config, parties: Parties) -> None:
    """In bulk, by the owner of the tables; triggers and indexes are as they are."""
    given = {
        "rows": USAGE,
        "wallets": [account_id(each, "wallet") for each in parties.startups[:CLIENTS]],
        "platform": account_id(None, "platform"),
        "owner": account_id(parties.owner, "earnings"),
        "state": account_id(None, "state_budget"),
    }
    with psycopg.connect(migration_url(config)) as connection:
        for statement in (_HOLDS, _CHARGES, _SHARES):
            connection.execute(statement, given)
    with psycopg.connect(migration_url(config), autocommit=True) as connection:
        connection.execute("vacuum analyze")


async def _balance_ms(database: Database) -> float:
    """The best of 20."""
    taken = []
    for _ in range(20):
        started = time.perf_counter()
        async with database.reading() as session:
            await balance(session, account_id(None, "platform"))
        taken.append(time.perf_counter() - started)
    return min(taken) * 1000
