"""HTTP face of the consent register. What a body says of a person goes into no log and no error."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

import msgspec
from litestar import post
from litestar.params import Parameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.callers import Owner
from marketplace.consents.actions import record_consent_event
from marketplace.consents.reads import read_receipt
from marketplace.consents.schemas import ConsentBody, ConsentReceipt
from marketplace.db.base import new_id
from marketplace.db.idempotency import claim
from marketplace.db.keys import Keys

IdempotencyHeader = Annotated[str | None, Parameter(header="Idempotency-Key", required=False, max_length=200)]


@post("/api/v1/consents/events", operation_id="recordConsentEvent")
async def post_consent_event(
    session: AsyncSession,
    owner: Owner,
    store: Store,
    keys: Keys,
    data: ConsentBody,
    idempotency_key: IdempotencyHeader = None,
) -> ConsentReceipt:
    """Record that a person gave or withdrew consent; a withdrawal bites on the next query."""
    owner.require("consent")
    consent_id = new_id()
    if idempotency_key is not None:
        # Keyed, because a plain hash of the body would give the subject away to whoever tries all of them.
        body = hmac.digest(keys.salt_key(), msgspec.json.encode(data), hashlib.sha256)
        first = await claim(
            session,
            organisation_id=owner.organisation_id,
            key=idempotency_key,
            body=body,
            subject_id=consent_id,
        )
        if first != consent_id:
            return await read_receipt(session, first)
    return await record_consent_event(
        session,
        by=owner,
        consent_id=consent_id,
        dataset_id=data.dataset_id,
        subject=data.subject,
        purpose=data.purpose,
        event=data.event,
        at=data.at,
        store=store,
        keys=keys,
        circumstances=data,
    )


handlers: list[ControllerRouterHandler] = [post_consent_event]
