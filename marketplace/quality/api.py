"""`/api/v1/datasets/{dataset}/quality`, broken promises, and the credits that they raise."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.db.base import utcnow
from marketplace.errors import NotFound
from marketplace.invoices.credit_reads import credits
from marketplace.invoices.schemas import CreditPage
from marketplace.listings.reads import kept_dataset
from marketplace.parameters import Cursor
from marketplace.quality.crediting import propose_for_breaches
from marketplace.quality.reads import list_breaches, read_quality
from marketplace.quality.schemas import BreachPage, QualityPage, SlaCreditBody

Version = Annotated[str | None, QueryParameter(name="version", required=False, max_length=64)]


@get("/api/v1/datasets/{dataset:str}/quality", operation_id="readQuality")
async def get_quality(
    session: AsyncSession, dataset: str, maybe_caller: Caller | None, version: Version = None
) -> QualityPage:
    """What was found of a dataset's versions, or of one, and whether the next is late; counts for its owner."""
    reader = maybe_caller.organisation_id if maybe_caller is not None else None
    kept = await kept_dataset(session, dataset, reader_id=reader)
    page = kept and await read_quality(session, kept.id, reader_id=reader, at=utcnow(), version_id=version)
    if not page:
        raise NotFound
    return page


@get("/api/v1/quality/breaches", operation_id="listBreaches")
async def get_breaches(session: AsyncSession, caller: Caller, cursor: Cursor = None) -> BreachPage:
    """Promises of offers that did not hold: of the caller's agreements; operator and regulator see all."""
    caller.require("read")
    everybody = caller.organisation_kind in ("operator", "regulator")
    return await list_breaches(session, party_id=None if everybody else caller.organisation_id, cursor=cursor)


@post("/api/v1/credits/sla", operation_id="proposeSlaCredits")
async def post_credits(data: SlaCreditBody, operator: Operator, session: AsyncSession) -> CreditPage:
    """Propose what offers promised to give back for a month's broken promises: a credit an agreement and invoice.

    Another person of the operator decides each. What was proposed is not proposed again."""
    operator.require("money")
    made = await propose_for_breaches(session, period=data.period, reason=data.reason, by=operator, at=utcnow())
    return CreditPage(items=await credits(session, made), next=None)


handlers: list[ControllerRouterHandler] = [get_quality, get_breaches, post_credits]
