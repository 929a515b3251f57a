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


class ChargeShares(Struct, frozen=True, kw_only=True):
    """Who gets how much of a charge; the parts make its amount."""

    lead: int
    partner: int
    state: int
    tax: int
    platform: int


def shares_of_charge(code: str, amount_vnd: int, *, lead_basis_points: int | None, at: datetime) -> ChargeShares:
    """By the rates of the day; `lead_basis_points`: of a joint dataset, None of another. A statutory fee is the
    state budget's, whole."""
    if code == STATUTORY:
        return ChargeShares(lead=0, partner=0, state=amount_vnd, tax=0, platform=0)
    shares = split(amount_vnd, rates_at(at))
    lead, partner = shares.owner, 0
    if lead_basis_points is not None:
        lead, partner = split_between(shares.owner, lead_basis_points)
    return ChargeShares(lead=lead, partner=partner, state=shares.state, tax=shares.tax, platform=shares.platform)


def tax_transfer_id(charge_transfer_id: UUID) -> UUID:
    """Of what sets the tax of a charge aside; there is none of a statutory fee."""
    return uuid5(charge_transfer_id, "charge_tax")


def month_charge(due: MonthDue, *, at: datetime) -> list[Movement]:
    """Takes it from the wallet and shares it out by that day's rates, all or none."""
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
    lead_basis_points = due.lead_basis_points if due.partner_id is not None else None
    shares = shares_of_charge(due.code, due.amount_vnd, lead_basis_points=lead_basis_points, at=at)
    if due.partner_id is not None:
        yield "charge_partner", account_id(due.partner_id, "earnings"), shares.partner
    yield "charge_owner", account_id(due.owner_id, "earnings"), shares.lead
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
