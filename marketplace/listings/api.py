"""HTTP face of the catalogue and of publishing."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Owner, Steward
from marketplace.accounts.senders import Sender
from marketplace.errors import NotFound
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.errors import NeedsTwoPeople
from marketplace.listings.once import Released, once_for
from marketplace.listings.openapi import PublicationBody
from marketplace.listings.parsing import parse_overrides
from marketplace.listings.press import Press
from marketplace.listings.publish import publish_version
from marketplace.listings.reads import dataset_id_of, read_dataset, read_offer, read_waiting
from marketplace.listings.schemas import DatasetList, DatasetPage, WaitingPage
from marketplace.listings.uploads import receive
from marketplace.parameters import Cursor, IdempotencyKey
from policies import odrl

Question = Annotated[str | None, QueryParameter(name="q", required=False, max_length=200)]
Values = Annotated[list[str] | None, QueryParameter(required=False, max_items=20)]


@get("/api/v1/datasets", operation_id="listDatasets")
async def get_datasets(
    session: AsyncSession,
    q: Question = None,
    cursor: Cursor = None,
    theme: Values = None,
    owner_slug: Annotated[list[str] | None, QueryParameter(name="owner", required=False, max_items=20)] = None,
    province: Values = None,
    purpose: Values = None,
    price: Values = None,
    quality: Values = None,
    state_class: Annotated[list[str] | None, QueryParameter(name="class", required=False, max_items=20)] = None,
    freshness: Values = None,
    licence: Values = None,
    sort: Annotated[Literal["best", "newest"], QueryParameter(required=False)] = "best",
) -> DatasetList:
    """The catalogue, newest first; with `q`, what speaks of it, the best first, or with `sort=newest` those that
    match best by their release. Of a facet that is given, repeated or not, a dataset has one of the values; values
    and how many datasets have them are in `facets`."""
    facets = {
        "theme": theme, "owner": owner_slug, "province": province, "purpose": purpose, "price": price,
        "quality": quality, "class": state_class, "freshness": freshness, "licence": licence,
    }  # fmt: skip
    chosen = {name: tuple(values) for name, values in facets.items() if values}
    return await list_datasets(session, q=q or "", chosen=chosen, cursor=cursor, newest_first=sort == "newest")


@get("/api/v1/datasets/{dataset:str}", operation_id="readDataset")
async def get_dataset(session: AsyncSession, dataset: str) -> DatasetPage:
    """One listed dataset by id or slug."""
    page = await read_dataset(session, dataset)
    if page is None:
        raise NotFound
    return page


@get("/api/v1/datasets/{dataset:str}/odrl", operation_id="readOffer")
async def get_offer(session: AsyncSession, dataset: str) -> Response[bytes]:
    """What is offered of a listed dataset, as ODRL 2.2 (JSON-LD)."""
    document = await read_offer(session, dataset)
    if document is None:
        raise NotFound
    return Response(msgspec.json.encode(document), media_type=odrl.MEDIA_TYPE)


@get("/api/v1/datasets/{dataset:str}/waiting", operation_id="readWaiting")
async def get_waiting(session: AsyncSession, owner: Owner, dataset: str) -> WaitingPage:
    """How many persons the newest version does not show yet, for which reason and since when; its owner's only."""
    owner.require("read")
    page = await read_waiting(session, dataset, owner_id=owner.organisation_id)
    if page is None:
        raise NotFound
    return page


@post(
    "/api/v1/datasets", operation_id="publishDataset", operation_class=PublicationBody, request_max_body_size=None
)
async def post_dataset(
    request: Request[Any, Any, Any],
    press: Press,
    steward: Steward,
    idempotency_key: IdempotencyKey = None,
) -> Released:
    """Publish a new dataset with its first version: multipart `manifest` and `file`, perhaps `overrides`, `suite`.

    A column in which personal data is found stops it (422 publication.personal_data) until `overrides` answers.
    """
    return await _publish(request, press, steward, into=None, key=idempotency_key)


@post(
    "/api/v1/datasets/{dataset:str}/versions",
    operation_id="publishVersion",
    operation_class=PublicationBody,
    request_max_body_size=None,
)
async def post_version(
    request: Request[Any, Any, Any],
    press: Press,
    steward: Steward,
    dataset: str,
    idempotency_key: IdempotencyKey = None,
) -> Released:
    """Publish the next version of a dataset of the caller's organisation."""
    async with press.database.session() as session:
        dataset_id = await dataset_id_of(session, dataset, owner_id=steward.organisation_id)
    if dataset_id is None:
        raise NotFound
    return await _publish(request, press, steward, into=dataset_id, key=idempotency_key)


async def _publish(
    request: Request[Any, Any, Any], press: Press, steward: Steward, *, into: uuid.UUID | None, key: str | None
) -> Released:
    steward.require("publish")
    if "approver" not in steward.roles:
        raise NeedsTwoPeople
    by = Sender(person_id=steward.person_id, organisation_id=steward.organisation_id)
    folder = press.config.path("uploads")
    async with receive(request, folder=folder, max_bytes=press.config.upload_max_bytes) as upload:
        text, source, suite = upload.text, upload.source, upload.suite
        overrides = parse_overrides(upload.overrides)
        once = None
        if key:
            said = text + upload.overrides
            once = await once_for(
                key, door="publish", into=into, manifest_text=said, source=source, suite_text=suite
            )
        return await publish_version(
            press,
            manifest_text=text,
            source=source,
            by=by,
            into=into,
            once=once,
            overrides=overrides,
            suite_text=suite,
        )


handlers: list[ControllerRouterHandler] = [
    get_datasets,
    get_dataset,
    get_offer,
    get_waiting,
    post_dataset,
    post_version,
]
