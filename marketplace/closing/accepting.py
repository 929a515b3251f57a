"""Letting a difference stand that nobody can mend: one person of the operator proposes it, another decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.closing.errors import (
    AcceptanceDecided,
    DifferenceGone,
    DifferenceProposed,
    NoAmount,
    SameAcceptor,
)
from marketplace.closing.models import DifferenceAcceptance
from marketplace.closing.standing import Standing
from marketplace.db.base import new_id
from marketplace.errors import NotFound

_STANDS = text("""
    select step, differences from month_step
    where period = :period and state = 'stuck'
        and differences @> jsonb_build_array(jsonb_build_object('key', cast(:key as text)))
    for update
""")
_AGAIN = text("update month_step set next_at = :at where period = :period and step = :step")


async def propose(
    session: AsyncSession, *, period: str, key: str, reason: str, by: Operator, at: datetime
) -> UUID:
    """To let a difference stand as it was found last. Raises DifferenceGone, NoAmount, DifferenceProposed."""
    step, standing = await _stands(session, period, key)
    if not standing.has_amount:
        raise NoAmount(difference=standing.said)
    row = DifferenceAcceptance
    of_it = (row.period == period, row.key == key, row.state.in_(("proposed", "accepted")))
    if await session.scalar(select(row.id).where(*of_it)) is not None:
        raise DifferenceProposed(difference=standing.said)
    values = {
        "id": new_id(), "period": period, "step": step, **msgspec.structs.asdict(standing), "reason": reason,
        "state": "proposed", "proposed_by": by.person_id, "proposed_at": at,
    }  # fmt: skip
    await session.execute(insert(row).values(values))
    await _told(session, "difference:propose", values, by, {"reason": reason})
    return UUID(str(values["id"]))


async def decide(
    session: AsyncSession,
    *,
    period: str,
    acceptance_id: UUID,
    accept: bool,
    reason: str,
    by: Operator,
    at: datetime,
) -> None:
    """Let it stand, and have the step tried at the job's next turn; or refuse, which who proposed it may too.

    Raises NotFound, SameAcceptor, AcceptanceDecided, DifferenceGone."""
    row = await session.get(DifferenceAcceptance, acceptance_id)
    if row is None or row.period != period:
        raise NotFound(what="acceptance")
    if accept and row.proposed_by == by.person_id:
        raise SameAcceptor
    if row.state == "proposed":
        await _stands(session, period, row.key)
        await session.refresh(row)  # whoever held the step's lock before us may have decided it
    if row.state != "proposed":
        raise AcceptanceDecided(state=row.state)
    state = "accepted" if accept else "refused"
    decided = {"state": state, "decided_by": by.person_id, "decided_at": at, "decision_reason": reason}
    await session.execute(update(DifferenceAcceptance).where(DifferenceAcceptance.id == row.id).values(decided))
    told = {name: getattr(row, name) for name in ("id", "period", "step", "key", *_FIGURES)}
    await _told(session, "difference:accept" if accept else "difference:refuse", told, by, {"reason": reason})
    if accept:
        await session.execute(_AGAIN, {"period": period, "step": row.step, "at": at})


_FIGURES = ("rule", "subject", "expected", "found")


async def _stands(session: AsyncSession, period: str, key: str) -> tuple[str, Standing]:
    """It as its step found it last; the step's row is locked. Raises DifferenceGone."""
    row = (await session.execute(_STANDS, {"period": period, "key": key})).first()
    if row is None:
        raise DifferenceGone(period=period, difference=key)
    found = msgspec.convert(row.differences, list[Standing])
    return row.step, next(each for each in found if each.key == key)


async def _told(
    session: AsyncSession, name: str, row: dict[str, Any], by: Operator, more: dict[str, object]
) -> None:
    body = {"period": row["period"], "step": row["step"], "acceptance": row["id"], "difference": row["key"]}
    figures = {each: row[each] for each in _FIGURES}
    await record(
        session,
        name,
        by=by,
        body=body | figures | more,
    )
