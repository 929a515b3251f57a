"""The policy's word on an application; a denial leaves its event though all else is undone."""

from __future__ import annotations

from marketplace.accounts.callers import Approver
from marketplace.agreements.errors import ApplicationDenied
from marketplace.agreements.models import Application
from marketplace.agreements.parties import Applicant
from marketplace.audit.actions import recorded
from marketplace.listings.permission import told
from policies.decision import AgreementQuestion, Decision
from policies.engine import Engine


async def require_permission(
    engine: Engine, question: AgreementQuestion, application: Application, by: Applicant | Approver
) -> Decision:
    """The decision that allows. Raises ApplicationDenied with every reason and what would cure it."""
    decision = await engine.decide(question)
    if decision.allow:
        return decision
    event = recorded(
        "application:deny",
        actor_person_id=by.person_id,
        actor_organisation_id=by.organisation_id,
        parties=(application.owner_id, application.startup_id),
        dataset_id=application.dataset_id,
        purpose=application.purpose,
        body={"application": str(application.id), "stage": question.stage, "decision": told(decision)},
    )
    raise ApplicationDenied(decision, event)
