"""Ending an agreement: either side, any time it is in force, once."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.errors import AgreementNotInForce
from marketplace.agreements.machine import agreement_state
from marketplace.agreements.models import Agreement
from marketplace.agreements.parties import Ender, of_organisation, parties_of
from marketplace.agreements.terms import check_reason
from marketplace.audit.actions import record
from marketplace.errors import NotFound


async def end(
    session: AsyncSession,
    *,
    agreement_id: uuid.UUID,
    reason: str,
    by: Ender,
    at: datetime,
) -> Agreement:
    """End it from `at` on; the next query and every settle see it.

    Raises NotFound, AgreementNotInForce, Invalid.
    """
    mine = of_organisation(Agreement, by.organisation_id)
    rows = select(Agreement).where(Agreement.id == agreement_id, mine).with_for_update()
    agreement = await session.scalar(rows.execution_options(populate_existing=True))
    if agreement is None:
        raise NotFound
    state = agreement_state(ended_at=agreement.ended_at, expires_at=agreement.expires_at, at=at)
    if state != "in_force":
        raise AgreementNotInForce(state=state)
    await _end(session, agreement, check_reason(reason), by, at)
    return agreement


async def end_all(
    session: AsyncSession, *, dataset_id: uuid.UUID, reason: str, by: Approver, at: datetime
) -> None:
    """All that are in force on a dataset: one of its owners takes it back."""
    rows = select(Agreement).where(Agreement.dataset_id == dataset_id, Agreement.ended_at.is_(None))
    for agreement in (await session.scalars(rows.order_by(Agreement.id).with_for_update())).all():
        if agreement.expires_at > at:
            await _end(session, agreement, reason, by, at)


async def _end(session: AsyncSession, agreement: Agreement, reason: str, by: Ender, at: datetime) -> None:
    agreement.end_reason = reason
    agreement.ended_at, agreement.ended_by = at, by.person_id
    await session.flush()
    await record(
        session,
        "agreement:end",
        by=by,
        parties=parties_of(agreement),
        dataset_id=agreement.dataset_id,
        agreement_id=agreement.id,
        purpose=agreement.purpose,
        body={"reason": agreement.end_reason, "by": by.organisation_kind},
    )
