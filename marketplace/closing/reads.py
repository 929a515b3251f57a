"""What ran of each month's close, what is stuck, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.closing.schemas import AcceptanceView, MonthList, MonthView, StepView, Why
from marketplace.closing.standing import Standing
from marketplace.closing.steps import STEPS
from marketplace.texts import LANGUAGES, message

MOST = 12
_ROWS = text("""
    select period, step, state, attempts, cause, told, differences, tried_at, next_at from month_step
    where period in (select distinct period from month_step order by period desc limit :most)
""")
_ACCEPTANCES = text("""
    select id, period, step, key, rule, subject, expected, found, reason, state, proposed_by, proposed_at,
        decided_by, decided_at, decision_reason
    from difference_acceptance where period = any(:periods) order by id
""")


async def list_months(session: AsyncSession, *, due: Sequence[str]) -> MonthList:
    """`due`: months that are over and not closed; they are listed whether or not a step was tried."""
    rows = await session.execute(_ROWS, {"most": MOST})
    found: dict[str, dict[str, Any]] = {period: {} for period in due}
    for row in rows:
        found.setdefault(row.period, {})[row.step] = row
    newest = sorted(found, reverse=True)[:MOST]
    let_stand: dict[str, list[AcceptanceView]] = {period: [] for period in newest}
    for row in await session.execute(_ACCEPTANCES, {"periods": newest}):
        told = {name: value for name, value in row._mapping.items() if name != "period"}
        let_stand[row.period].append(AcceptanceView(**told))
    return MonthList(items=tuple(_month(period, found[period], let_stand[period]) for period in newest))


def _month(period: str, rows: Mapping[str, Any], acceptances: Sequence[AcceptanceView]) -> MonthView:
    steps = tuple(_step(name, rows.get(name)) for name in STEPS)
    states = {step.state for step in steps}
    state: Literal["due", "running", "stuck", "closed"] = "running"
    if "stuck" in states:
        state = "stuck"
    elif states == {"done"}:
        state = "closed"
    elif states == {"waiting"}:
        state = "due"
    return MonthView(period=period, state=state, steps=steps, acceptances=tuple(acceptances))


def _step(name: str, row: Any | None) -> StepView:
    if row is None:
        return StepView(
            step=name, state="waiting", attempts=0, tried_at=None, next_at=None, told={}, problem=None,
            differences=(),
        )  # fmt: skip
    return StepView(
        step=name,
        state=row.state,
        attempts=row.attempts,
        tried_at=row.tried_at,
        next_at=row.next_at,
        told=row.told,
        problem=_why(row.cause, row.told) if row.cause else None,
        differences=msgspec.convert(row.differences, tuple[Standing, ...]),
    )


def _why(code: str, params: Mapping[str, Any]) -> Why:
    return Why(code=code, messages={each: message(code, params, each) for each in LANGUAGES})
