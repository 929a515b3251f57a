"""The policy's word on an application; a denial is on record though what was begun is undone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.agreements.errors import ApplicationDenied
from marketplace.agreements.models import Application
from marketplace.agreements.parties import Applicant, parties_of
from marketplace.audit.actions import recorded
from marketplace.audit.facttree import grow
from marketplace.audit.sealing import Sealed, seal
from marketplace.db.base import new_id
from marketplace.db.keys import Keys
from marketplace.db.together import Statement, perform
from policies.decision import AgreementQuestion, Decision
from policies.engine import Engine


class Permitted(Struct, frozen=True, kw_only=True):
    """A decision on an application, sealed, and the question that it answers."""

    question: AgreementQuestion
    sealed: Sealed

    @property
    def decision(self) -> Decision:
        return self.sealed.decision


async def require_permission(
    engine: Engine, keys: Keys, question: AgreementQuestion, application: Application, by: Applicant | Approver
) -> Permitted:
    """The decision that allows. Raises ApplicationDenied with every reason and what would cure it."""
    decision = await engine.decide(question)
    sealed = seal(keys, decision_id=new_id(), tree=grow(question), decision=decision)
    permitted = Permitted(question=question, sealed=sealed)
    if decision.allow:
        return permitted
    event = _told("application:deny", permitted, application, by, {}, agreement_id=None)
    raise ApplicationDenied(decision, sealed.row.id, (sealed.stored, event))


async def record_decided(
    session: AsyncSession,
    name: str,
    permitted: Permitted,
    application: Application,
    by: Applicant | Approver,
    body: dict[str, Any],
    *,
    agreement_id: UUID | None = None,
) -> None:
    """Store the decision, and write the event that tells it, in the transaction of what it allows."""
    await perform(session, permitted.sealed.stored)
    await perform(session, _told(name, permitted, application, by, body, agreement_id=agreement_id))


def _told(
    name: str,
    permitted: Permitted,
    application: Application,
    by: Applicant | Approver,
    body: dict[str, Any],
    *,
    agreement_id: UUID | None,
) -> Statement:
    question = permitted.question
    return recorded(
        name,
        by=by,
        parties=parties_of(application),
        dataset_id=application.dataset_id,
        agreement_id=agreement_id,
        purpose=application.purpose,
        version_id=question.dataset.version_id,
        body={
            "application": str(application.id),
            "startup": application.startup_id,
            "owner": application.owner_id,
            "stage": question.stage,
            **permitted.sealed.body,
            **body,
        },
    )
