"""Verbs that are killed at a named point, each in a child of a server that has imported everything once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from marketplace import faults
from marketplace.accounts.callers import Operator
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.payments.bank import Line, book_line
from marketplace.payments.notices import take_notice
from marketplace.payments.opening import open_payments
from marketplace.payments.paying_out import send_payout
from marketplace.payments.provider import Notice, Provider
from marketplace.payments.returns import send_refund
from marketplace.payments.topups import advance
from tests.forked import FORKS

Verb = Callable[[Database, Provider, Config, Any], Awaitable[object]]


async def pay(database: Database, provider: Provider, config: Config, about: UUID) -> None:
    await advance(database, provider, config, about)


async def hear(database: Database, provider: Provider, config: Config, about: Notice) -> None:
    await take_notice(database, provider, about)


async def send_back(database: Database, provider: Provider, config: Config, about: UUID) -> None:
    await send_refund(database, provider, about)


async def pay_out(database: Database, provider: Provider, config: Config, about: UUID) -> None:
    await send_payout(database, provider, about)


async def book(database: Database, provider: Provider, config: Config, about: tuple[Operator, Line]) -> None:
    by, line = about
    async with database.session() as session:
        await book_line(session, by=by, line=line)


def killed_at(point: str, verb: Verb, config: Config, url: str, about: Any) -> bool:
    """Whether the verb, in a process of its own, came to the point and died there."""
    child = FORKS.Process(target=_run, args=(point, verb, config, url, about))
    child.start()
    child.join(60)
    return child.exitcode == -signal.SIGKILL


def _run(point: str, verb: Verb, config: Config, url: str, about: Any) -> None:
    faults.FAULT = point
    asyncio.run(_do(verb, config, url, about))


async def _do(verb: Verb, config: Config, url: str, about: Any) -> None:
    database = Database(url, connections=2)
    async with open_payments(config) as payments:
        await verb(database, payments.require(), config, about)
    await database.close()
