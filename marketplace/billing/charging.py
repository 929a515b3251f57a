"""Money of a month's charges, which no query caused: linked transfers out of the startup's wallet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID, uuid5

from msgspec import Struct

from marketplace.billing.split import rates_at, split, split_between
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import Movement

_SPACE = UUID("5d1a0000-0000-8000-8000-c4a26e000000")
STATUTORY = "statutory_fee"


class MonthDue(Struct, frozen=True, kw_only=True):
    """What an agreement costs in a month (YYYY-MM) without a query. code: month | statutory_fee | minimum."""

    agreement_id: UUID
    organisation_id: UUID
    owner_id: UUID
    partner_id: UUID | None
    lead_basis_points: int | None
    dataset_id: UUID
    code: str
    period: str
    amount_vnd: int

    @property
    def transfer_id(self) -> UUID:
        """The same whoever charges it: it is charged once."""
        return uuid5(_SPACE, f"{self.agreement_id}/{self.code}/{self.period}")


def tax_transfer_id(charge_transfer_id: UUID) -> UUID:
    """Of what sets the tax of a charge aside; there is none of a statutory fee."""
    return uuid5(charge_transfer_id, "charge_tax")


def month_charge(due: MonthDue, *, at: datetime) -> list[Movement]:
    """Takes it from the wallet and shares it out by that day's rates, all or none.

    A statutory fee is the state budget's, whole."""
    platform = account_id(None, "platform")
    wallet = account_id(due.organisation_id, "wallet")
    taken = _movement(due, due.transfer_id, f"charge_{due.code}", wallet, platform, due.amount_vnd)
    shared = (
        _movement(due, uuid5(due.transfer_id, code), code, platform, receiver, amount)
        for code, receiver, amount in _receivers(due, at)
        if amount
    )
    return [taken, *shared]


def _receivers(due: MonthDue, at: datetime) -> Iterator[tuple[str, UUID, int]]:
    if due.code == STATUTORY:
        yield "charge_state", account_id(None, "state_budget"), due.amount_vnd
        return
    shares = split(due.amount_vnd, rates_at(at))
    lead, partner = shares.owner, 0
    if due.partner_id is not None and due.lead_basis_points is not None:
        lead, partner = split_between(shares.owner, due.lead_basis_points)
        yield "charge_partner", account_id(due.partner_id, "earnings"), partner
    yield "charge_owner", account_id(due.owner_id, "earnings"), lead
    yield "charge_state", account_id(None, "state_budget"), shares.state
    yield "charge_tax", account_id(None, "vat"), shares.tax


def _movement(due: MonthDue, id: UUID, code: str, debit: UUID, credit: UUID, amount: int) -> Movement:
    return Movement(
        id=id,
        kind="single",
        code=code,
        debit=debit,
        credit=credit,
        amount=amount,
        dataset_id=due.dataset_id,
        reference=f"{due.agreement_id} {due.period}",
    )
