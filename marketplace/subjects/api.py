"""`/api/v1/subject/…`: a person about herself, by the page's cookie or by a token `sdls_…`."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import CacheControlHeader
from litestar.status_codes import HTTP_204_NO_CONTENT
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.allowance import OWN_LIMIT
from marketplace.audit.actions import record
from marketplace.audit.api import Accepted
from marketplace.audit.receipt import served
from marketplace.config import Config
from marketplace.consents.schemas import ConsentReceipt
from marketplace.db.keys import Keys
from marketplace.errors import Forbidden
from marketplace.identity.callers import Subject
from marketplace.identity.sign_in import make_token, sign_out
from marketplace.subjects import reads
from marketplace.subjects.schemas import MyDatasets, MyReceipts, SubjectToken

KEPT_BY_NOBODY = CacheControlHeader(no_store=True)


@get("/api/v1/subject/datasets", operation_id="listMyDatasets", cache_control=KEPT_BY_NOBODY, opt=OWN_LIMIT)
async def list_my_datasets(
    citizen: Subject, session: AsyncSession, store: Store, keys: Keys, config: Config
) -> MyDatasets:
    """Which datasets hold data about me, for which purposes, and how often they were used (in bands)."""
    found = await reads.find(session, subject=citizen.session.subject, store=store, keys=keys)
    await record(session, "subject:read")
    return await reads.my_datasets(session, found, store=store, config=config)


@get("/api/v1/subject/receipts", operation_id="listMyReceipts", cache_control=KEPT_BY_NOBODY, opt=OWN_LIMIT)
async def list_my_receipts(citizen: Subject, session: AsyncSession, store: Store, keys: Keys) -> MyReceipts:
    """Receipts of what I gave and withdrew, newest first."""
    return reads.my_receipts(await reads.find(session, subject=citizen.session.subject, store=store, keys=keys))


@get(
    "/api/v1/subject/receipts/{receipt_id:uuid}",
    operation_id="readMyReceipt",
    cache_control=KEPT_BY_NOBODY,
    opt=OWN_LIMIT,
)
async def read_my_receipt(
    receipt_id: UUID, citizen: Subject, session: AsyncSession, store: Store, keys: Keys
) -> ConsentReceipt:
    """One of my receipts; another person's is not there."""
    found = await reads.find(session, subject=citizen.session.subject, store=store, keys=keys)
    return reads.my_receipt(found, receipt_id)


@get(
    "/api/v1/subject/receipts/{receipt_id:uuid}/proof",
    operation_id="proveMyReceipt",
    cache_control=KEPT_BY_NOBODY,
    opt=OWN_LIMIT,
)
async def prove_my_receipt(
    receipt_id: UUID,
    citizen: Subject,
    session: AsyncSession,
    store: Store,
    keys: Keys,
    accepted: Accepted = None,
) -> Response[bytes]:
    """That what I said stands in the log: a receipt for `sandulieu audit verify`, as JSON or (text/plain) as a
    C2SP tlog-proof."""
    found = await reads.find(session, subject=citizen.session.subject, store=store, keys=keys)
    body, media_type = served(await reads.my_proof(session, found, receipt_id), accepted)
    return Response(body, media_type=media_type)


@post("/api/v1/subject/tokens", operation_id="makeMyToken", cache_control=KEPT_BY_NOBODY, opt=OWN_LIMIT)
async def make_my_token(citizen: Subject, session: AsyncSession, config: Config, keys: Keys) -> SubjectToken:
    """A short-lived token of the signed-in session; a token makes no other."""
    if citizen.via != "session":
        raise Forbidden(needs="session")
    token, expires_at_ms = await make_token(session, config, keys, citizen.session)
    return SubjectToken(token=token, expires_at=expires_at_ms)


@post("/api/v1/subject/sign-out", operation_id="signMeOut", status_code=HTTP_204_NO_CONTENT, opt=OWN_LIMIT)
async def sign_me_out(citizen: Subject, session: AsyncSession, config: Config) -> None:
    """End this session with all its tokens."""
    await sign_out(session, config, citizen.session)


handlers: list[ControllerRouterHandler] = [
    list_my_datasets, list_my_receipts, read_my_receipt, prove_my_receipt, make_my_token, sign_me_out,
]  # fmt: skip
