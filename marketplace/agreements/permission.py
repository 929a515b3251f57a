"""The policy's word on an application; a denial is logged in a transaction of its own."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.errors import ApplicationDenied
from marketplace.agreements.models import Application
from marketplace.agreements.parties import Applicant
from marketplace.audit.actions import record
from marketplace.listings.permission import Desk, told
from policies.decision import AgreementQuestion, Decision


async def require_permission(
    desk: Desk, question: AgreementQuestion, application: Application, by: Applicant | Approver
) -> Decision:
    """The decision that allows. Raises ApplicationDenied with every reason and what would cure it."""
    decision = await desk.engine.decide(question)
    if decision.allow:
        return decision
    async with desk.database.session() as session:
        await _log(session, decision, question, application, by)
    raise ApplicationDenied(decision)


async def _log(
    session: AsyncSession, decision: Decision, question: AgreementQuestion, application: Application,
    by: Applicant | Approver,
) -> None:  # fmt: skip
    await record(
        session,
        "application:deny",
        actor_person_id=by.person_id,
        actor_organisation_id=by.organisation_id,
        parties=(application.owner_id, application.startup_id),
        dataset_id=application.dataset_id,
        purpose=application.purpose,
        body={
            "application": str(application.id),
            "stage": question.stage,
            "decision": told(decision),
        },
    )
