"""Money of queries and wallets, as linked transfers in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.accounts.models import Organisation
from marketplace.audit.actions import record
from marketplace.billing.accounts import ensure_accounts
from marketplace.billing.errors import AmountOutOfRange, NoWallet
from marketplace.billing.split import rates_at, split, split_between
from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import Movement, require_made, transfer
from marketplace.ledger.errors import InsufficientFunds, NoAccount

CREDIT_LEAST_VND = 1_000
CREDIT_MOST_VND = 100_000_000_000


class Part(Struct, frozen=True, kw_only=True):
    """What a query pays for one of its datasets, and to whom. `hold_id`: under which that was set aside."""

    query_id: UUID
    dataset_id: UUID
    owner_id: UUID
    hold_id: UUID
    amount_vnd: int
    partner_id: UUID | None = None
    """Of a joint dataset the other owner, and how much of the owners' share is `owner_id`'s."""
    lead_basis_points: int | None = None


def query_hold(part: Part, *, startup_id: UUID) -> Movement:
    """Sets the price of one dataset of a query aside in its startup's wallet."""
    return Movement(
        id=part.hold_id,
        kind="pending",
        code="query_hold",
        debit=account_id(startup_id, "wallet"),
        credit=account_id(None, "platform"),
        amount=part.amount_vnd,
        query_id=part.query_id,
        dataset_id=part.dataset_id,
    )


def require_held(verdict: Any, holds: Sequence[Movement]) -> None:
    """Raises InsufficientFunds, BudgetShort; to have no wallet is to have nothing in it."""
    try:
        require_made(verdict, holds)
    except NoAccount as e:
        missing = sum(hold.amount or 0 for hold in holds if hold.code == "query_hold")
        raise InsufficientFunds(available_vnd=0, needed_vnd=missing, missing_vnd=missing) from e


def query_charge(part: Part) -> list[Movement]:
    """Posts the hold of a dataset of a query, for less if it cost less, and shares it out by today's rates: all or
    none."""
    shares = split(part.amount_vnd, rates_at(utcnow()))
    shared = (
        Movement(
            id=new_id(),
            kind="single",
            code=code,
            debit=account_id(None, "platform"),
            credit=receiver,
            amount=amount,
            query_id=part.query_id,
            dataset_id=part.dataset_id,
        )
        for code, receiver, amount in (
            *_owners(part, shares.owner),
            ("share_state", account_id(None, "state_budget"), shares.state),
            ("share_tax", account_id(None, "vat"), shares.tax),
        )
        if amount
    )
    return [_resolved(part, "post", "query_charge", amount_vnd=part.amount_vnd), *shared]


def _owners(part: Part, amount_vnd: int) -> Iterator[tuple[str, UUID, int]]:
    """What each owner gets of their share: codes, accounts, đồng."""
    if part.partner_id is None or part.lead_basis_points is None:
        yield "share_owner", account_id(part.owner_id, "earnings"), amount_vnd
        return
    lead, partner = split_between(amount_vnd, part.lead_basis_points)
    yield "share_owner", account_id(part.owner_id, "earnings"), lead
    yield "share_partner", account_id(part.partner_id, "earnings"), partner


def query_void(part: Part) -> Movement:
    """Gives the hold of one dataset of a query back."""
    return _resolved(part, "void", "query_void")


def _resolved(part: Part, kind: str, code: str, *, amount_vnd: int | None = None) -> Movement:
    return Movement(
        id=new_id(),
        kind=kind,
        code=code,
        hold_id=part.hold_id,
        amount=amount_vnd,
        query_id=part.query_id,
        dataset_id=part.dataset_id,
    )


async def startup_with_wallet(session: AsyncSession, organisation_id: UUID) -> Organisation:
    """The organisation, if it is one that pays. Raises NotFound, NoWallet."""
    organisation = await session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound(what="organisation")
    if organisation.kind != "startup":
        raise NoWallet(organisation_id=str(organisation_id))
    return organisation


async def credit_wallet(
    session: AsyncSession,
    *,
    by: Operator,
    organisation_id: UUID,
    amount_vnd: int,
    reference: str,
    transfer_id: UUID,
) -> None:
    """Book money that a startup paid in; the same transfer again is harmless.

    Raises AmountOutOfRange, NotFound, NoWallet, TransferDiffers.
    """
    if not CREDIT_LEAST_VND <= amount_vnd <= CREDIT_MOST_VND:
        raise AmountOutOfRange(amount_vnd=amount_vnd, least_vnd=CREDIT_LEAST_VND, most_vnd=CREDIT_MOST_VND)
    await ensure_accounts(session, await startup_with_wallet(session, organisation_id))
    made = await transfer(
        session,
        id=transfer_id,
        debit=account_id(None, "funding"),
        credit=account_id(organisation_id, "wallet"),
        amount=amount_vnd,
        code="wallet_credit",
        reference=reference,
    )
    if not made:
        return
    await record(
        session,
        "wallet:credit",
        by=by,
        parties=(organisation_id,),
        price_vnd=amount_vnd,
        body={"transfer": str(transfer_id), "reference": reference},
    )
