"""`/api/v1/wallet`, and the admission of parties, whose accounts are opened with them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import reads as accounts
from marketplace.accounts.callers import Caller, Operator
from marketplace.accounts.schemas import NewOrganisationBody, OrganisationView
from marketplace.billing import reads
from marketplace.billing.actions import credit_wallet
from marketplace.billing.admission import admit_organisation
from marketplace.billing.schemas import AccountStatementView, CreditBody, CreditView, WalletView
from marketplace.billing.statement import own_statement
from marketplace.calendar import day_of
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.parameters import IdempotencyKey


@get("/api/v1/wallet")
async def show_wallet(caller: Caller, session: AsyncSession) -> WalletView:
    """The account of the caller's party: balance, held, available, newest entries."""
    caller.require("read")
    return await reads.wallet(session, caller)


@get("/api/v1/wallet/statement")
async def show_statement(
    caller: Caller,
    session: AsyncSession,
    first: Annotated[date | None, QueryParameter(name="from")] = None,
    last: Annotated[date | None, QueryParameter(name="to")] = None,
    cursor: str | None = None,
) -> AccountStatementView:
    """A startup's wallet or an owner's earnings `from` one day of Viet Nam `to` another, both included (this month
    unless told): opening, entries with the balance after each, closing."""
    caller.require("read")
    today = day_of(utcnow())
    return await own_statement(
        session, caller, first=first or today.replace(day=1), last=last or today, cursor=cursor
    )


@post("/api/v1/wallet/credits")
async def add_credit(
    data: CreditBody, operator: Operator, session: AsyncSession, idempotency_key: IdempotencyKey = None
) -> CreditView:
    """Book money that a startup paid in."""
    operator.require("money")
    transfer_id = await claim(session, operator.organisation_id, idempotency_key, data, new_id())
    await credit_wallet(
        session,
        by=operator,
        organisation_id=data.organisation_id,
        amount_vnd=data.amount_vnd,
        reference=data.reference,
        transfer_id=transfer_id,
    )
    return CreditView(
        transfer_id=transfer_id,
        organisation_id=data.organisation_id,
        amount_vnd=data.amount_vnd,
        reference=data.reference,
    )


@post("/api/v1/organisations")
async def admit(data: NewOrganisationBody, operator: Operator, session: AsyncSession) -> OrganisationView:
    """Admit a party and open its accounts."""
    operator.require("tokens")
    organisation_id = await admit_organisation(
        session,
        kind=data.kind,
        name=data.name,
        slug=data.slug,
        tax_code=data.tax_code,
        sector=data.sector,
        by=operator,
    )
    return await accounts.organisation(session, organisation_id)


handlers = [show_wallet, show_statement, add_credit, admit]
