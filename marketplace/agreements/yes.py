"""An owner's yes to an application: the agreement at once; of a joint dataset once the other owner says it too."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.deciding import accept
from marketplace.agreements.errors import ApplicationWrongState
from marketplace.agreements.facts import agreement_question
from marketplace.agreements.joint import first_yes, yes_before
from marketplace.agreements.machine import TRANSITIONS
from marketplace.agreements.models import Application
from marketplace.agreements.permission import record_decided, require_permission
from marketplace.agreements.steps import listed_now, locked
from marketplace.agreements.terms import Granted, check_reason, wanted_expiry
from marketplace.db.keys import Keys
from policies.engine import Engine


async def say_yes(
    session: AsyncSession,
    engine: Engine,
    keys: Keys,
    *,
    application_id: uuid.UUID,
    reason: str,
    granted: Granted,
    by: Approver,
    at: datetime,
) -> None:
    """Raises as `accept`. The policy decides on each yes, and on what both together grant."""
    application = await locked(session, application_id, owner_id=by.organisation_id)
    if application.partner_id is None or yes_before(application, by) is not None:
        await accept(
            session, engine, keys, application_id=application_id, reason=reason, granted=granted, by=by, at=at
        )
        return
    if (application.state, "accept") not in TRANSITIONS:
        raise ApplicationWrongState(state=application.state, verb="accept")
    await _wait_for_the_other(session, engine, keys, application, reason, granted, by, at)


async def _wait_for_the_other(
    session: AsyncSession,
    engine: Engine,
    keys: Keys,
    application: Application,
    reason: str,
    granted: Granted,
    by: Approver,
    at: datetime,
) -> None:
    reason = check_reason(reason, required=False)
    listed = await listed_now(session, application.dataset_id)
    until = wanted_expiry(wanted=granted.expires_at, duration_days=application.duration_days, at=at)
    question = await agreement_question(
        session, application, listed, granted=granted, expires_at=until, stage="accept", at=at
    )
    permitted = await require_permission(engine, keys, question, application, by)
    application.first_yes = first_yes(by, reason, granted)
    application.updated_at = at
    await session.flush()
    body = {"state": application.state, "reason": reason, "waits_for_other_owner": True}
    await record_decided(session, "application:agree", permitted, application, by, body)
