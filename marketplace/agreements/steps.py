"""What every verb on an application begins and ends with: it is locked, goes a step, and the log is told."""

from __future__ import annotations

import uuid

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.errors import ApplicationWrongState, NothingListed
from marketplace.agreements.machine import TRANSITIONS, ApplicationVerb
from marketplace.agreements.models import Application
from marketplace.agreements.parties import Applicant, parties_of
from marketplace.audit.actions import record
from marketplace.errors import NotFound
from marketplace.listings.reads import ListedVersion, listed_version


async def listed_now(session: AsyncSession, dataset_id: uuid.UUID) -> ListedVersion:
    """Raises NothingListed."""
    listed = await listed_version(session, dataset_id)
    if listed is None:
        raise NothingListed
    return listed


async def locked(
    session: AsyncSession,
    application_id: uuid.UUID,
    *,
    startup_id: uuid.UUID | None = None,
    owner_id: uuid.UUID | None = None,
) -> Application:
    """The application of that startup, or of that owner, alone or with another. Raises NotFound."""
    rows = select(Application).where(Application.id == application_id).with_for_update()
    rows = rows.execution_options(populate_existing=True)
    if startup_id is not None:
        rows = rows.where(Application.startup_id == startup_id)
    if owner_id is not None:
        rows = rows.where(or_(Application.owner_id == owner_id, Application.partner_id == owner_id))
    application = await session.scalar(rows)
    if application is None:
        raise NotFound
    return application


def step(application: Application, verb: ApplicationVerb) -> None:
    """Raises ApplicationWrongState."""
    state = TRANSITIONS.get((application.state, verb))
    if state is None:
        raise ApplicationWrongState(state=application.state, verb=verb)
    application.state = state


async def record_step(
    session: AsyncSession,
    name: str,
    application: Application,
    by: Applicant | Approver,
    body: dict[str, object],
) -> None:
    await record(
        session,
        name,
        by=by,
        parties=parties_of(application),
        dataset_id=application.dataset_id,
        purpose=application.purpose,
        body={"application": str(application.id), "state": application.state, **body},
    )
