"""HTTP face of publications that people review, and of taking a version back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.callers import Approver, Caller, Steward
from marketplace.accounts.senders import Sender
from marketplace.db.base import utcnow
from marketplace.listings.once import once_for
from marketplace.listings.openapi import PublicationBody
from marketplace.listings.press import Press
from marketplace.listings.uploads import receive
from marketplace.parameters import IdempotencyKey
from marketplace.publications.reads import list_publications, list_withdrawals, read_publication
from marketplace.publications.rejected import as_csv, rejected_in_dataset, rejected_in_publication
from marketplace.publications.reviewing import take_step
from marketplace.publications.schemas import (
    PublicationList,
    PublicationView,
    SchemeList,
    StepBody,
    StepTaken,
    WithdrawalBody,
    WithdrawalList,
    WithdrawalView,
)
from marketplace.publications.schemes import scheme_list, schemes_of
from marketplace.publications.sending import send
from marketplace.publications.withdrawing import withdraw


@get("/api/v1/publications", operation_id="listPublications")
async def get_publications(session: AsyncSession, caller: Caller) -> PublicationList:
    """What the caller's organisation is publishing; for the operator what waits for its reviewer."""
    caller.require("read")
    return await list_publications(session, caller)


@get("/api/v1/publications/{publication_id:uuid}", operation_id="readPublication")
async def get_publication(session: AsyncSession, caller: Caller, publication_id: UUID) -> PublicationView:
    """One publication: each stage with its figures and findings, what people did, whose turn it is."""
    caller.require("read")
    return await read_publication(session, publication_id, caller)


@post(
    "/api/v1/publications", status_code=202, operation_id="sendPublication", operation_class=PublicationBody,
    request_max_body_size=None,
)  # fmt: skip
async def post_publication(
    request: Request[Any, Any, Any],
    press: Press,
    steward: Steward,
    idempotency_key: IdempotencyKey = None,
) -> PublicationView:
    """Send a file for publication with review: multipart `manifest`, `file`, perhaps `suite`. Stages follow."""
    steward.require("publish")
    by = Sender(person_id=steward.person_id, organisation_id=steward.organisation_id)
    async with receive(
        request, folder=press.config.path("uploads"), max_bytes=press.config.upload_max_bytes
    ) as upload:
        key = idempotency_key
        text, source, suite = upload.text, upload.source, upload.suite
        once = None
        if key:
            once = await once_for(key, door="send", into=None, manifest_text=text, source=source, suite_text=suite)
        publication_id = await send(
            press, manifest_text=text, source=source, suite_text=suite, source_name="", by=by, once=once
        )
    async with press.database.reading() as session:
        return await read_publication(session, publication_id, steward)


@post("/api/v1/publications/{publication_id:uuid}/steps", status_code=200, operation_id="stepPublication")
async def post_step(session: AsyncSession, caller: Caller, publication_id: UUID, data: StepBody) -> StepTaken:
    """Answer for a finding, try again, submit, approve, return, or cancel; who may is in docs/publish.md."""
    state = await take_step(session, publication_id=publication_id, body=data, by=caller)
    return StepTaken(id=publication_id, state=state)


@post("/api/v1/publications/{publication_id:uuid}/schemes", status_code=200, operation_id="seekSchemes")
async def post_schemes(
    press: Press,
    steward: Steward,
    publication_id: UUID,
) -> SchemeList:
    """What else its columns could be shown as, what each scheme loses and risks, with a manifest to send again: a
    search of some seconds, which keeps nothing."""
    steward.require("publish")
    return scheme_list(await schemes_of(press, publication_id, by=steward))


@get("/api/v1/publications/{publication_id:uuid}/rejected", operation_id="readRejectedRows")
async def get_rejected(session: AsyncSession, caller: Caller, store: Store, publication_id: UUID) -> Stream:
    """Rows of the file that could not be read, as CSV: file, row, column, reason; for its steward and approver."""
    path = await rejected_in_publication(session, store, publication_id, caller)
    return Stream(as_csv(path), media_type="text/csv")


@get("/api/v1/datasets/{dataset:str}/rejected", operation_id="readRejectedRowsOfDataset")
async def get_rejected_of_dataset(session: AsyncSession, caller: Caller, store: Store, dataset: str) -> Stream:
    """The same of the version that is listed."""
    path = await rejected_in_dataset(session, store, dataset, caller)
    return Stream(as_csv(path), media_type="text/csv")


@get("/api/v1/withdrawals", operation_id="listWithdrawals")
async def get_withdrawals(session: AsyncSession, caller: Caller) -> WithdrawalList:
    """Versions that their owners took back, newest first: the caller's own; all of them for the operator."""
    caller.require("read")
    return await list_withdrawals(session, caller)


@post("/api/v1/datasets/{dataset:str}/withdrawal", operation_id="withdrawVersion")
async def post_withdrawal(
    session: AsyncSession, approver: Approver, dataset: str, data: WithdrawalBody
) -> WithdrawalView:
    """Take the listed version back: it can be asked no more, and whoever has an agreement is told."""
    approver.require("agree")
    await withdraw(session, dataset=dataset, body=data, by=approver, at=utcnow())
    found = await list_withdrawals(session, approver)
    return next(each for each in found.items if each.version_id == data.version_id)


handlers: list[ControllerRouterHandler] = [
    get_publications,
    get_publication,
    post_publication,
    post_step,
    post_schemes,
    get_rejected,
    get_rejected_of_dataset,
    get_withdrawals,
    post_withdrawal,
]
