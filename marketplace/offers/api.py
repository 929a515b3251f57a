"""`/api/v1/datasets/{dataset}/offers`: what is offered, and the owner's verbs on it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Steward
from marketplace.accounts.senders import Sender
from marketplace.agreements.parties import as_side
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.errors import NotFound
from marketplace.listings.reads import dataset_id_of
from marketplace.offers.actions import make_offer, retire_offer
from marketplace.offers.charges import charges
from marketplace.offers.reads import offer_view, offers_of
from marketplace.offers.schemas import ChargeList, NewOfferBody, OfferList, OfferView
from marketplace.parameters import Cursor, IdempotencyKey

Period = Annotated[str | None, QueryParameter(name="period", required=False, pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]


@get("/api/v1/datasets/{dataset:str}/offers", operation_id="listOffers")
async def get_offers(session: AsyncSession, dataset: str, maybe_caller: Caller | None) -> OfferList:
    """What a dataset costs: offers that are or will be open to the caller; its owner sees every version."""
    dataset_id = await dataset_id_of(session, dataset)
    if dataset_id is None:
        raise NotFound
    return await offers_of(session, dataset_id=dataset_id, caller=maybe_caller, at=utcnow())


@post("/api/v1/datasets/{dataset:str}/offers", operation_id="makeOffer")
async def post_offer(
    session: AsyncSession,
    steward: Steward,
    dataset: str,
    data: NewOfferBody,
    idempotency_key: IdempotencyKey = None,
) -> OfferView:
    """Make an offer, or the next version of one. Agreements that there are keep theirs."""
    by = sender(steward)
    dataset_id = await dataset_id_of(session, dataset, owner_id=by.organisation_id)
    if dataset_id is None:
        raise NotFound
    new, body = new_id(), msgspec.json.encode((str(dataset_id), data))
    offer_id = await claim(session, by.organisation_id, idempotency_key, body, new)
    if offer_id == new:
        await make_offer(session, offer_id=new, dataset_id=dataset_id, asked=data, by=by, at=utcnow())
    return await offer_view(session, offer_id=offer_id, at=utcnow())


@post("/api/v1/offers/{offer_id:uuid}/retire", status_code=200, operation_id="retireOffer")
async def post_retire(session: AsyncSession, steward: Steward, offer_id: UUID) -> OfferView:
    """From now on no agreement can be made on it; those that there are keep it until their end."""
    await retire_offer(session, offer_id=offer_id, by=sender(steward), at=utcnow())
    return await offer_view(session, offer_id=offer_id, at=utcnow())


@get("/api/v1/charges", operation_id="listCharges")
async def get_charges(
    session: AsyncSession, caller: Caller, period: Period = None, cursor: Cursor = None
) -> ChargeList:
    """What the caller's agreements cost, or earned, in months without a query, newest first."""
    side = as_side(caller)
    return await charges(session, party_id=side.organisation_id, period=period, cursor=cursor)


def sender(steward: Steward) -> Sender:
    """Raises ScopeMissing."""
    steward.require("publish")
    return Sender(person_id=steward.person_id, organisation_id=steward.organisation_id)


handlers: list[ControllerRouterHandler] = [get_offers, post_offer, post_retire, get_charges]
