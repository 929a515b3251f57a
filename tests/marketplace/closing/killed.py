"""The walk in a process of its own, killed at a named point."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime

import marketplace.tables  # noqa: F401  # every foreign key finds its table
from marketplace import faults
from marketplace.closing.walk import close_months
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.invoices.months import Month
from marketplace.ledger.accounts import account_id
from marketplace.ledger.outside import Hear, Heard, Outside, OutsideRecord, Silent
from tests.forked import FORKS


async def nobody(_: Database) -> Heard:
    return ()


async def silent(_: Database) -> Heard:
    return (Silent("stripe"),)


async def silent_bank(_: Database) -> Heard:
    return (Silent("bank"),)


def bank(month: Month, amount: int) -> Hear:
    """A bank that has a movement of so much which nobody here booked."""

    async def hear(_: Database) -> Heard:
        return (
            Outside(
                name="bank", account_id=account_id(None, "funding"), codes=("bank",), since=month.since,
                until=month.until, records=(OutsideRecord(reference="FT 77", amount=amount),),
            ),
        )  # fmt: skip

    return hear


def killed_at(point: str, config: Config, url: str, at: datetime) -> bool:
    """Whether the walk came to the point and died there."""
    child = FORKS.Process(target=_run, args=(point, config, url, at))
    child.start()
    child.join(60)
    return child.exitcode == -signal.SIGKILL


def _run(point: str, config: Config, url: str, at: datetime) -> None:
    faults.FAULT = point
    asyncio.run(_walk(config, url, at))


async def _walk(config: Config, url: str, at: datetime) -> None:
    await close_months(Database(url, connections=8), config, nobody, at=at)
