"""`/api/v1/payouts` and `/api/v1/statements`: what owners earned, and how they are paid."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import State
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver, Caller, Operator, Owner
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.parameters import IdempotencyKey
from marketplace.payouts.actions import cancel, propose, release, require_carried, set_account
from marketplace.payouts.bank_file import read_notices
from marketplace.payouts.reads import (
    batch_file,
    list_batches,
    list_odd,
    list_payouts,
    read_account,
    read_batch,
    read_statement,
)
from marketplace.payouts.schemas import (
    AccountBody,
    AccountView,
    BatchBody,
    BatchDetail,
    BatchList,
    OddList,
    PayoutList,
    Statement,
)
from marketplace.payouts.settling import Report, settle_notices


@get("/api/v1/statements/{period:str}", operation_id="readStatement")
async def get_statement(owner: Owner, session: AsyncSession, period: str) -> Statement:
    """An owner's month (YYYY-MM): what each dataset was charged, how it was shared, what was paid out."""
    owner.require("read")
    return await read_statement(session, owner.organisation_id, period)


@get("/api/v1/payouts", operation_id="listPayouts")
async def get_payouts(owner: Owner, session: AsyncSession) -> PayoutList:
    """What was paid out to the caller's organisation, and what came back."""
    owner.require("read")
    return await list_payouts(session, owner.organisation_id)


@get("/api/v1/payouts/account", operation_id="readPayoutAccount")
async def get_account(owner: Owner, session: AsyncSession) -> AccountView:
    """Where the caller's organisation is paid."""
    owner.require("read")
    return await read_account(session, owner.organisation_id)


@post("/api/v1/payouts/account", operation_id="setPayoutAccount")
async def post_account(
    data: AccountBody, approver: Approver, session: AsyncSession, config: Config
) -> AccountView:
    """Set where the organisation is paid from the next batch on: at a bank, or at Stripe where it is set up."""
    approver.require("money")
    require_carried(data.bank_code, config)
    await set_account(
        session,
        by=approver,
        bank_code=data.bank_code,
        account_number=data.account_number,
        holder=data.holder,
        at=utcnow(),
    )
    return await read_account(session, approver.organisation_id)


@get("/api/v1/payouts/batches", operation_id="listPayoutBatches")
async def get_batches(caller: Caller, session: AsyncSession) -> BatchList:
    """Batches, newest first, for operator and regulator."""
    caller.require_overseer()
    return await list_batches(session)


@get("/api/v1/payouts/batches/{batch_id:uuid}", operation_id="readPayoutBatch")
async def get_batch(caller: Caller, session: AsyncSession, batch_id: UUID) -> BatchDetail:
    """One batch with each payout, for operator and regulator."""
    caller.require_overseer()
    return await read_batch(session, batch_id)


@get("/api/v1/payouts/batches/{batch_id:uuid}/file", operation_id="readPayoutFile", media_type=MediaType.TEXT)
async def get_file(operator: Operator, session: AsyncSession, batch_id: UUID) -> Response[bytes]:
    """The bank's file of a released batch; always the same bytes."""
    operator.require("money")
    name = f'attachment; filename="{batch_id}.csv"'
    return Response(
        await batch_file(session, batch_id), media_type="text/csv", headers={"Content-Disposition": name}
    )


@post("/api/v1/payouts/batches", operation_id="proposePayoutBatch")
async def post_batch(
    data: BatchBody,
    operator: Operator,
    session: AsyncSession,
    config: Config,
    idempotency_key: IdempotencyKey = None,
) -> BatchDetail:
    """Propose to pay each owner what it had at the end of a month and still has; another person releases it."""
    operator.require("money")
    batch_id = fresh = new_id()
    if idempotency_key is not None:
        batch_id = await claim(
            session,
            organisation_id=operator.organisation_id,
            key=idempotency_key,
            body=msgspec.json.encode(data),
            subject_id=fresh,
        )
    if batch_id == fresh:
        least = config.payout_least_vnd
        await propose(session, period=data.period, least_vnd=least, by=operator, at=utcnow(), batch_id=batch_id)
    return await read_batch(session, batch_id)


@post("/api/v1/payouts/batches/{batch_id:uuid}/release", status_code=200, operation_id="releasePayoutBatch")
async def post_release(operator: Operator, session: AsyncSession, batch_id: UUID) -> BatchDetail:
    """Release what another person proposed: the money leaves the owners' earnings for the bank's file."""
    operator.require("money")
    await release(session, batch_id=batch_id, by=operator, at=utcnow())
    return await read_batch(session, batch_id)


@post("/api/v1/payouts/batches/{batch_id:uuid}/cancel", status_code=200, operation_id="cancelPayoutBatch")
async def post_cancel(operator: Operator, session: AsyncSession, batch_id: UUID) -> BatchDetail:
    """Give a proposed batch up."""
    operator.require("money")
    await cancel(session, batch_id=batch_id, by=operator, at=utcnow())
    return await read_batch(session, batch_id)


@get("/api/v1/payouts/notices", operation_id="listOddNotices")
async def get_odd(caller: Caller, session: AsyncSession) -> OddList:
    """Lines of the bank's files that fitted nothing here: the bank may have moved money that no books know of. For
    operator and regulator."""
    caller.require_overseer()
    return await list_odd(session)


@post("/api/v1/payouts/notices", status_code=200, operation_id="readPayoutNotices")
async def post_notices(
    request: Request[object, object, State], operator: Operator, session: AsyncSession
) -> Report:
    """Read the bank's file (text/csv) of what was paid and what came back; the same file again changes nothing."""
    operator.require("money")
    return await settle_notices(session, read_notices(await request.body()), by=operator, at=utcnow())


handlers = [
    get_statement,
    get_payouts,
    get_account,
    post_account,
    get_batches,
    get_batch,
    get_file,
    post_batch,
    post_release,
    post_cancel,
    get_odd,
    post_notices,
]
