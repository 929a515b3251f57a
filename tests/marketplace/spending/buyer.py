"""A startup with money and an agreement, and what the transaction does that lets one of its queries in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct

from marketplace.billing.accounts import ensure_accounts
from marketplace.billing.actions import Part, query_hold, query_void, require_held
from marketplace.billing.terms import Terms
from marketplace.calendar import month_of
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import booking, transfer
from marketplace.spending.counting import Change, changed, counted, require_within, spent
from marketplace.spending.models import SpendLimit
from tests.marketplace.agreements.conftest import Sides, open_sides

CREDIT_VND = 1_000_000


class Buyer(Struct, frozen=True):
    """`sides.startup`, who has an agreement and a full wallet."""

    sides: Sides
    agreement_id: UUID

    @property
    def organisation_id(self) -> UUID:
        return self.sides.startup.organisation.id

    async def enter(
        self, database: Database, vnd: int, *, terms: Terms | None = None, trial_vnd: int | None = None
    ) -> Part:
        """Transaction one. Raises InsufficientFunds, LimitReached, PriceMoved."""
        part = Part(
            query_id=new_id(),
            dataset_id=self.sides.dataset_id,
            owner_id=self.sides.owner.organisation.id,
            hold_id=new_id(),
            amount_vnd=vnd,
        )
        hold = query_hold(part, startup_id=self.organisation_id)
        line = counted(
            terms or Terms(),
            agreement_id=self.agreement_id,
            dataset_id=self.sides.dataset_id,
            vnd=vnd,
            trial_vnd=trial_vnd,
        )
        count = spent(
            [line],
            organisation_id=self.organisation_id,
            person_id=self.sides.startup.person.id,
            month=month_of(utcnow()),
        )
        async with database.unit() as unit:
            booked, against = await unit.send([booking([hold]), count])
            require_held(booked[0], [hold])
            require_within(against)
        return part

    async def leave(self, database: Database, part: Part) -> None:
        """It was free after all."""
        change = Change(agreement_id=self.agreement_id, queries=-1, vnd=-part.amount_vnd)
        async with database.unit() as unit:
            uncount = changed([change], person_id=self.sides.startup.person.id, month=month_of(utcnow()))
            await unit.send([booking([query_void(part)]), uncount])

    async def limit(self, database: Database, month_vnd: int, **scope: Any) -> None:
        """A limit on all, or of a scope."""
        async with database.session() as session:
            session.add(
                SpendLimit(
                    organisation_id=self.organisation_id,
                    month_vnd=month_vnd,
                    alert_percent=[50, 80, 100],
                    set_by=self.sides.startup.person.id,
                    **scope,
                )
            )


async def open_buyer(database: Database) -> Buyer:
    """Fresh, with a wallet of a million."""
    sides = await open_sides(database)
    agreement_id = await sides.agreement(database)
    async with database.session() as session:
        await ensure_accounts(session, sides.startup.organisation)
        await transfer(
            session,
            id=new_id(),
            debit=account_id(None, "funding"),
            credit=account_id(sides.startup.organisation.id, "wallet"),
            amount=CREDIT_VND,
            code="wallet_credit",
        )
    return Buyer(sides, agreement_id)
