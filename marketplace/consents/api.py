"""HTTP face of the consent register. What a body says of a person goes into no log and no error."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Request, get, post
from litestar.di import Provide
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.allowance import PAGE
from marketplace.accounts.callers import Caller, Owner
from marketplace.accounts.senders import Sender
from marketplace.config import Config
from marketplace.consents.exports import FORMATS, exported
from marketplace.consents.imports import Importing, import_events
from marketplace.consents.late import Clocks, view_clocks
from marketplace.consents.months import Months, monthly_totals
from marketplace.consents.schemas import ConsentBody, ConsentReceipt, Imported
from marketplace.consents.speakers import Speaker, provide_speaker, record_once
from marketplace.consents.uploads import received
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.listings.reads import dataset_id_of
from marketplace.parameters import IdempotencyKey

OnError = Annotated[Literal["keep", "refuse"], QueryParameter(name="on_error", required=False)]


@post(
    "/api/v1/consents/events",
    operation_id="recordConsentEvent",
    dependencies={"speaker": Provide(provide_speaker)},
    opt={"points": PAGE},  # a withdrawal waits for nothing
)
async def post_consent_event(
    session: AsyncSession,
    speaker: Speaker,
    store: Store,
    keys: Keys,
    data: ConsentBody,
    idempotency_key: IdempotencyKey = None,
) -> ConsentReceipt:
    """Record that a person gave or withdrew consent; a withdrawal bites on the next query.

    By an owner for the people of its datasets; by a person (token `sdls_…`) for herself, without `subject`.
    """
    return await record_once(
        session, speaker=speaker, said=data, idempotency_key=idempotency_key, store=store, keys=keys
    )


@post("/api/v1/datasets/{dataset:str}/consents", operation_id="importConsentEvents", request_max_body_size=None)
async def post_consent_file(
    request: Request[Any, Any, Any],
    config: Config,
    database: Database,
    store: Store,
    keys: Keys,
    owner: Owner,
    dataset: str,
    on_error: OnError = "keep",
) -> Imported:
    """Take a file of events as the body: CSV, lines of JSON, Arrow or Parquet. An event id is taken once.

    A file sent again changes nothing, so an `Idempotency-Key` adds nothing."""
    owner.require("consent")
    dataset_id = await _own(database, owner, dataset)
    by = Sender(person_id=owner.person_id, organisation_id=owner.organisation_id)
    parts = Importing(config=config, database=database, store=store, keys=keys)
    folder, max_bytes = config.path("uploads"), config.consents_file_max_bytes
    async with received(request, folder=folder, max_bytes=max_bytes) as source:
        return await import_events(
            parts, by=by, dataset_id=dataset_id, source=source, all_or_nothing=on_error == "refuse"
        )


@get("/api/v1/datasets/{dataset:str}/consents", operation_id="exportConsentEvents")
async def get_consent_file(
    request: Request[Any, Any, Any], database: Database, owner: Owner, dataset: str
) -> Stream:
    """What the owner recorded, people by pseudonym; Accept: application/x-ndjson (default) or text/csv."""
    owner.require("consent")
    dataset_id = await _own(database, owner, dataset)
    media = request.accept.best_match(list(FORMATS), default="application/x-ndjson") or "application/x-ndjson"
    return Stream(
        exported(database, dataset_id, FORMATS[media]), media_type=media, headers={"Cache-Control": "no-store"}
    )


@get("/api/v1/datasets/{dataset:str}/consents/months", operation_id="readConsentMonths")
async def get_consent_months(database: Database, owner: Owner, dataset: str) -> Months:
    """Totals of the months that have ended, in bands."""
    owner.require("consent")
    dataset_id = await _own(database, owner, dataset)
    async with database.reading() as session:
        return await monthly_totals(session, dataset_id=dataset_id)


@get("/api/v1/consents/late", operation_id="readConsentClocks")
async def get_consent_clocks(caller: Caller, session: AsyncSession) -> Clocks:
    """What was acknowledged and stopped, and what came late: an owner's own, or all of them for the regulator."""
    caller.require("consent" if caller.organisation_kind == "owner" else "audit")
    return await view_clocks(session, caller=caller)


async def _own(database: Database, owner: Owner, dataset: str) -> UUID:
    async with database.reading() as session:
        dataset_id = await dataset_id_of(session, dataset, owner_id=owner.organisation_id)
    if dataset_id is None:
        raise NotFound
    return dataset_id


handlers: list[ControllerRouterHandler] = [
    post_consent_event,
    post_consent_file,
    get_consent_file,
    get_consent_months,
    get_consent_clocks,
]
