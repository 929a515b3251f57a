"""`/api/v1/credits`: refunds that one person of the operator proposes and another decides."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from litestar import get, post
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.invoices.credit_reads import credits, list_credits
from marketplace.invoices.crediting import decide, propose, propose_for_version
from marketplace.invoices.schemas import (
    CreditBody,
    CreditDecisionBody,
    CreditPage,
    CreditView,
    VersionCreditBody,
)
from marketplace.parameters import IdempotencyKey, Limit


@get("/api/v1/credits", operation_id="listCredits")
async def get_credits(
    caller: Caller,
    session: AsyncSession,
    wanted: Annotated[Literal["proposed", "approved", "refused"] | None, QueryParameter(name="state")] = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> CreditPage:
    """Refunds, newest first, for operator and regulator."""
    caller.require_overseer()
    return await list_credits(session, state=wanted, cursor=cursor, limit=limit)


@post("/api/v1/invoices/{invoice_id:uuid}/credits", operation_id="proposeCredit")
async def post_credit(
    data: CreditBody,
    invoice_id: UUID,
    operator: Operator,
    session: AsyncSession,
    idempotency_key: IdempotencyKey = None,
) -> CreditView:
    """Propose to give back some or all of an invoice; another person of the operator decides."""
    operator.require("money")
    fresh = new_id()
    credit_id = await claim(session, operator.organisation_id, idempotency_key, (invoice_id, data), fresh)
    if credit_id == fresh:
        await propose(
            session,
            invoice_id=invoice_id,
            reason=data.reason,
            by=operator,
            at=utcnow(),
            credit_id=credit_id,
            source_ids=data.item_ids,
            dataset_id=data.dataset_id,
            amount_vnd=data.amount_vnd,
        )
    return (await credits(session, [credit_id]))[0]


@post("/api/v1/credits/version", operation_id="proposeVersionCredits")
async def post_version(data: VersionCreditBody, operator: Operator, session: AsyncSession) -> CreditPage:
    """Propose to give back all that was charged for a version withdrawn for its quality: a credit an invoice.

    Uses that no invoice has yet are billed first, on an invoice of their own."""
    operator.require("money")
    made = await propose_for_version(
        session, version_id=data.version_id, reason=data.reason, by=operator, at=utcnow()
    )
    return CreditPage(items=await credits(session, made), next=None)


@post("/api/v1/credits/{credit_id:uuid}/decision", status_code=200, operation_id="decideCredit")
async def post_decision(
    data: CreditDecisionBody, credit_id: UUID, operator: Operator, session: AsyncSession
) -> CreditView:
    """Approve or refuse what another person proposed; approved, it is a credit note and the money is back."""
    operator.require("money")
    await decide(session, credit_id=credit_id, approve=data.decision == "approve", by=operator, at=utcnow())
    return (await credits(session, [credit_id]))[0]


handlers = [get_credits, post_credit, post_version, post_decision]
