"""Closes every month that is over, step after step, and stops where something stands in the way.

Whoever holds the lock walks; another process finds it taken and leaves. A step that was killed after its work and
before its mark is done again, which finds nothing to do.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.calendar import month_of as name_of
from marketplace.calendar import next_month
from marketplace.closing.errors import Differs, StepFailed
from marketplace.closing.models import MonthStep
from marketplace.closing.standing import KEPT_MOST
from marketplace.closing.steps import STEPS, Told, Work
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Problem, Unavailable
from marketplace.faults import point
from marketplace.invoices.months import Month, month_of
from marketplace.ledger.outside import Hear
from marketplace.offers.charging import SETTLED_AFTER

logger = logging.getLogger(__name__)

MONTHS_BACK: Final = 12
FIRST_WAIT, DOUBLED_MOST = timedelta(minutes=10), 6
"""A stuck step is tried again after 10, 20, 40 … 640 minutes."""
LAST: Final = list(STEPS)[-1]
# The lock is given back with the transaction, and so with the process.
_MINE = text("select pg_try_advisory_xact_lock(hashtextextended('month close', 0))")
_BEGAN = text("select min(created_at) from organisation")
_CLOSED = text("select period from month_step where step = :last and state = 'done'")
_OLDEST_STUCK = text("select min(period) from month_step where state = 'stuck'")
_STEPS = text("select step, state, attempts, cause, told, next_at from month_step where period = :period")


async def close_months(database: Database, config: Config, hear: Hear, *, at: datetime, now: bool = False) -> bool:
    """Whether nothing is left to close; False if a month is stuck, or somebody else is at it.

    `now`: a stuck step is tried again whether or not its time has come. Raises Unavailable."""
    async with database.reading() as reading:
        periods = await due(reading, config, at=at)
    if not periods:
        return True
    async with database.session() as session:
        await session.execute(text("set local idle_in_transaction_session_timeout = 0"))
        if not await session.scalar(_MINE):
            return False
        for period in periods:
            work = Work(database, config, hear, month_of(period), at)
            if not await _close(work, now=now):
                return False
    return True


async def due(session: AsyncSession, config: Config, *, at: datetime) -> list[str]:
    """Months that are over and not closed, oldest first: of the last twelve, and from the oldest stuck one on."""
    closed = set((await session.scalars(_CLOSED, {"last": LAST})).all())
    began: datetime | None = await session.scalar(_BEGAN)
    if began is None:
        return []
    settled = at - max(timedelta(seconds=config.invoice_close_after_s), SETTLED_AFTER)
    period = name_of(max(began, at - timedelta(days=31 * MONTHS_BACK)))
    period = min(period, await session.scalar(_OLDEST_STUCK) or period)
    found = []
    while period < name_of(settled):
        if period not in closed:
            found.append(period)
        period = next_month(period)
    return found


async def _close(work: Work, *, now: bool) -> bool:
    """Whether the month is closed."""
    before = {row.step: row for row in await work.database.all(_STEPS, {"period": work.month.period})}
    for step in STEPS:
        row = before.get(step)
        if row is not None and row.state == "done":
            continue
        if row is not None and row.next_at > work.at and not now:
            return False
        if not await _do(work, step, row):
            return False
    return True


async def _do(work: Work, step: str, row: Any | None) -> bool:
    """Whether the step is done."""
    try:
        told = await STEPS[step](work)
    except (Unavailable, OSError):
        raise
    except Problem as problem:
        await _stuck(work, step, row, problem)
        return False
    except Exception as fault:
        logger.exception("step %s of %s failed", step, work.month.period)
        await _stuck(work, step, row, StepFailed(fault=type(fault).__name__))
        return False
    point(f"month-{step}")
    await _done(work.database, work.month, step, told, at=work.at)
    return True


async def _done(database: Database, month: Month, step: str, told: Told, *, at: datetime) -> None:
    async with database.session() as session:
        values: dict[str, Any] = {
            "state": "done", "cause": None, "told": told, "differences": [], "tried_at": at, "next_at": None,
        }  # fmt: skip
        await session.execute(_put(month.period, step, values))
        figures = {name: value for name, value in told.items() if isinstance(value, int)}
        await record(session, "month:step", body={"period": month.period, "step": step, "told": figures})


async def _stuck(work: Work, step: str, row: Any | None, problem: Problem) -> None:
    """Told in the log once, as long as what stands in the way is the same."""
    period, attempts = work.month.period, row.attempts if row is not None else 0
    wait = FIRST_WAIT * 2 ** min(attempts, DOUBLED_MOST)
    logger.error("the close of %s is stuck at %s: %s %s", period, step, problem.code, problem.params)
    same = row is not None and (row.cause, row.told) == (problem.code, problem.params)
    async with work.database.session() as session:
        left = msgspec.to_builtins(problem.standing[:KEPT_MOST]) if isinstance(problem, Differs) else []
        values = {"state": "stuck", "cause": problem.code, "told": problem.params, "differences": left}
        await session.execute(_put(period, step, values | {"tried_at": work.at, "next_at": work.at + wait}))
        if not same:
            named = str(problem.params.get("named", ""))
            body = {"period": period, "step": step, "cause": problem.code, "named": named}
            await record(session, "month:stuck", body=body)


def _put(period: str, step: str, values: dict[str, Any]) -> Any:
    put = insert(MonthStep).values(period=period, step=step, attempts=1, **values)
    more = values | {"attempts": MonthStep.attempts + 1}
    return put.on_conflict_do_update(index_elements=["period", "step"], set_=more)
