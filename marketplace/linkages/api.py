"""HTTP face of linkages: two owners who join what they know of the same persons."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Request, get, post
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.callers import Approver, Owner, Steward
from marketplace.db.base import utcnow
from marketplace.db.keys import Keys
from marketplace.linkages.actions import decide, end, propose
from marketplace.linkages.contributions import send
from marketplace.linkages.publish import agree
from marketplace.linkages.reads import list_linkages, read_linkage
from marketplace.linkages.schemas import (
    DecisionBody,
    EndBody,
    Joined,
    LinkageList,
    LinkageView,
    ProposalBody,
    PublicationBody,
)
from marketplace.listings.openapi import PublicationBody as Multipart
from marketplace.listings.press import Press
from marketplace.listings.uploads import receive


@get("/api/v1/linkages", operation_id="listLinkages")
async def get_linkages(session: AsyncSession, owner: Owner) -> LinkageList:
    """Linkages of the caller's organisation, newest first."""
    owner.require("read")
    return await list_linkages(session, organisation_id=owner.organisation_id)


@get("/api/v1/linkages/{linkage_id:uuid}", operation_id="readLinkage")
async def get_linkage(session: AsyncSession, owner: Owner, linkage_id: uuid.UUID) -> LinkageView:
    """One linkage of the caller's organisation, with what each owner has sent for the next join."""
    owner.require("read")
    return await read_linkage(session, linkage_id=linkage_id, organisation_id=owner.organisation_id)


@post("/api/v1/linkages", operation_id="proposeLinkage")
async def post_linkage(session: AsyncSession, steward: Steward, data: ProposalBody) -> LinkageView:
    """Propose a linkage to another owner; the caller's organisation leads."""
    steward.require("publish")
    linkage = await propose(
        session,
        partner=data.partner,
        population=data.population,
        purposes=data.purposes,
        lead_basis_points=data.lead_basis_points,
        by=steward,
        at=utcnow(),
    )
    return await read_linkage(session, linkage_id=linkage.id, organisation_id=steward.organisation_id)


@post("/api/v1/linkages/{linkage_id:uuid}/decision", status_code=200, operation_id="decideLinkage")
async def post_decision(
    session: AsyncSession, keys: Keys, approver: Approver, linkage_id: uuid.UUID, data: DecisionBody
) -> LinkageView:
    """The partner approves or refuses."""
    approver.require("agree")
    await decide(
        session, keys, linkage_id=linkage_id, decision=data.decision, reason=data.reason, by=approver, at=utcnow()
    )
    return await read_linkage(session, linkage_id=linkage_id, organisation_id=approver.organisation_id)


@post("/api/v1/linkages/{linkage_id:uuid}/end", status_code=200, operation_id="endLinkage")
async def post_end(
    session: AsyncSession, keys: Keys, store: Store, approver: Approver, linkage_id: uuid.UUID, data: EndBody
) -> LinkageView:
    """End it from now on: the joint dataset and all agreements on it are over."""
    approver.require("agree")
    await end(session, keys, store, linkage_id=linkage_id, reason=data.reason, by=approver, at=utcnow())
    return await read_linkage(session, linkage_id=linkage_id, organisation_id=approver.organisation_id)


@post(
    "/api/v1/linkages/{linkage_id:uuid}/contributions", operation_id="contribute", operation_class=Multipart,
    request_max_body_size=None,
)  # fmt: skip
async def post_contribution(
    request: Request[Any, Any, Any],
    press: Press,
    steward: Steward,
    linkage_id: uuid.UUID,
) -> LinkageView:
    """Send the caller's half for the next join: multipart `manifest` and `file`. It replaces one that waits."""
    steward.require("publish")
    async with receive(
        request, folder=press.config.path("uploads"), max_bytes=press.config.upload_max_bytes
    ) as upload:
        await send(press, linkage_id=linkage_id, manifest_text=upload.text, source=upload.source, by=steward)
    async with press.database.reading() as session:
        return await read_linkage(session, linkage_id=linkage_id, organisation_id=steward.organisation_id)


@post("/api/v1/linkages/{linkage_id:uuid}/publication", status_code=200, operation_id="joinLinkage")
async def post_publication(
    press: Press,
    steward: Steward,
    linkage_id: uuid.UUID,
    data: PublicationBody,
) -> Joined:
    """Agree to join with what the other owner has sent. The second of the two to agree makes the version."""
    steward.require("publish")
    return await agree(press, linkage_id=linkage_id, other=data.contribution, by=steward)


handlers: list[ControllerRouterHandler] = [
    get_linkages,
    get_linkage,
    post_linkage,
    post_decision,
    post_end,
    post_contribution,
    post_publication,
]
