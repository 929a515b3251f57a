"""HTTP face of applications and agreements."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver, Caller
from marketplace.agreements.asking import apply_once, resubmit, withdraw
from marketplace.agreements.budget import BudgetView, read_budget
from marketplace.agreements.deciding import refuse
from marketplace.agreements.ending import end
from marketplace.agreements.machine import ApplicationState
from marketplace.agreements.parties import as_applicant, as_decider, as_ender, as_side
from marketplace.agreements.reads import (
    list_agreements,
    list_applications,
    read_agreed,
    read_agreement,
    read_application,
)
from marketplace.agreements.schemas import (
    AgreementList,
    AgreementView,
    ApplicationList,
    ApplicationView,
    DecisionBody,
    EndBody,
    TermsBody,
)
from marketplace.agreements.yes import say_yes
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.listings.reads import dataset_id_of
from marketplace.parameters import Cursor, IdempotencyKey
from policies import odrl
from policies.engine import Engine

StateQuery = Annotated[ApplicationState | None, QueryParameter(name="state", required=False)]


@post("/api/v1/datasets/{dataset:str}/applications", operation_id="apply")
async def post_application(
    session: AsyncSession,
    caller: Caller,
    engine: Engine,
    keys: Keys,
    dataset: str,
    data: TermsBody,
    idempotency_key: IdempotencyKey = None,
) -> ApplicationView:
    """Apply for a dataset. Same Idempotency-Key and body: the same application."""
    by = as_applicant(caller)
    dataset_id = await dataset_id_of(session, dataset)
    if dataset_id is None:
        raise NotFound
    application_id = await apply_once(
        session, engine, keys, dataset_id=dataset_id, terms=data.terms(by.person_id), by=by, at=utcnow(),
        key=idempotency_key,
    )  # fmt: skip
    return await read_application(session, application_id=application_id, organisation_id=by.organisation_id)


@get("/api/v1/applications", operation_id="listApplications")
async def get_applications(
    session: AsyncSession, caller: Caller, in_state: StateQuery = None, cursor: Cursor = None
) -> ApplicationList:
    """Applications that the caller's organisation made or received, newest first."""
    side = as_side(caller)
    return await list_applications(session, organisation_id=side.organisation_id, state=in_state, cursor=cursor)


@get("/api/v1/applications/{application_id:uuid}", operation_id="readApplication")
async def get_application(session: AsyncSession, caller: Caller, application_id: uuid.UUID) -> ApplicationView:
    """One application of the caller's organisation."""
    side = as_side(caller)
    return await read_application(session, application_id=application_id, organisation_id=side.organisation_id)


@post("/api/v1/applications/{application_id:uuid}/resubmit", status_code=200, operation_id="resubmit")
async def post_resubmit(
    session: AsyncSession,
    caller: Caller,
    engine: Engine,
    keys: Keys,
    application_id: uuid.UUID,
    data: TermsBody,
) -> ApplicationView:
    """New terms after the owner returned the application."""
    applicant = as_applicant(caller)
    terms = data.terms(applicant.person_id)
    await resubmit(session, engine, keys, application_id=application_id, terms=terms, by=applicant, at=utcnow())
    return await read_application(
        session, application_id=application_id, organisation_id=applicant.organisation_id
    )


@post("/api/v1/applications/{application_id:uuid}/withdraw", status_code=200, operation_id="withdraw")
async def post_withdraw(session: AsyncSession, caller: Caller, application_id: uuid.UUID) -> ApplicationView:
    """Take the application back before it is decided."""
    applicant = as_applicant(caller)
    await withdraw(session, application_id=application_id, by=applicant, at=utcnow())
    return await read_application(
        session, application_id=application_id, organisation_id=applicant.organisation_id
    )


@post("/api/v1/applications/{application_id:uuid}/decision", status_code=200, operation_id="decide")
async def post_decision(
    session: AsyncSession,
    approver: Approver,
    engine: Engine,
    keys: Keys,
    application_id: uuid.UUID,
    data: DecisionBody,
) -> ApplicationView:
    """Accept (makes the agreement, once both owners of a joint dataset have), reject or return."""
    by = as_decider(approver)
    if data.decision == "accept":
        granted, reason = data.granted(), data.reason
        await say_yes(session, engine, keys, application_id=application_id, reason=reason, granted=granted, by=by,
                     at=utcnow())  # fmt: skip
    else:
        await refuse(session, application_id=application_id, decision=data.decision, reason=data.reason, by=by,
                     at=utcnow())  # fmt: skip
    return await read_application(session, application_id=application_id, organisation_id=approver.organisation_id)


@get("/api/v1/agreements", operation_id="listAgreements")
async def get_agreements(session: AsyncSession, caller: Caller, cursor: Cursor = None) -> AgreementList:
    """Agreements of the caller's organisation, newest first."""
    side = as_side(caller)
    return await list_agreements(session, organisation_id=side.organisation_id, at=utcnow(), cursor=cursor)


@get("/api/v1/agreements/{agreement_id:uuid}", operation_id="readAgreement")
async def get_agreement(session: AsyncSession, caller: Caller, agreement_id: uuid.UUID) -> AgreementView:
    """One agreement of the caller's organisation."""
    side = as_side(caller)
    return await read_agreement(
        session, agreement_id=agreement_id, organisation_id=side.organisation_id, at=utcnow()
    )


@get("/api/v1/agreements/{agreement_id:uuid}/budget", operation_id="readBudget")
async def get_budget(session: AsyncSession, caller: Caller, config: Config, agreement_id: uuid.UUID) -> BudgetView:
    """What is left of the agreement's privacy budget, and roughly what it buys (dp mode)."""
    side = as_side(caller)
    return await read_budget(
        session,
        agreement_id=agreement_id,
        organisation_id=side.organisation_id,
        rho_micro=config.dp_rho_micro,
        least_micro=config.dp_rho_least_micro,
    )


@get("/api/v1/agreements/{agreement_id:uuid}/odrl", operation_id="readAgreed")
async def get_agreed(session: AsyncSession, caller: Caller, agreement_id: uuid.UUID) -> Response[bytes]:
    """What both sides accepted, as ODRL 2.2 (JSON-LD)."""
    side = as_side(caller)
    document = await read_agreed(session, agreement_id=agreement_id, organisation_id=side.organisation_id)
    return Response(msgspec.json.encode(document), media_type=odrl.MEDIA_TYPE)


@post("/api/v1/agreements/{agreement_id:uuid}/end", status_code=200, operation_id="endAgreement")
async def post_end(session: AsyncSession, caller: Caller, agreement_id: uuid.UUID, data: EndBody) -> AgreementView:
    """End it from now on: the next query and whatever runs at the moment see it."""
    ender = as_ender(caller)
    at = utcnow()
    await end(session, agreement_id=agreement_id, reason=data.reason, by=ender, at=at)
    return await read_agreement(session, agreement_id=agreement_id, organisation_id=ender.organisation_id, at=at)


handlers: list[ControllerRouterHandler] = [
    post_application,
    get_applications,
    get_application,
    post_resubmit,
    post_withdraw,
    post_decision,
    get_agreements,
    get_agreement,
    get_budget,
    get_agreed,
    post_end,
]
