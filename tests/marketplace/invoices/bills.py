"""Charged queries and closed months for the tests of bills."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator, narrow
from marketplace.billing.actions import credit_wallet
from marketplace.calendar import VIETNAM
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.together import perform
from marketplace.invoices.closing import close_month
from marketplace.invoices.document import Document
from marketplace.invoices.months import Month, month_of
from marketplace.ledger.reconcile import reconcile
from marketplace.metering.actions import usage_recorded
from tests.marketplace.billing.money import charge_query, hold_query
from tests.marketplace.parties import Make, Party


def this_month() -> Month:
    return month_of(f"{datetime.now(VIETNAM):%Y-%m}")


def afterwards() -> datetime:
    """An instant at which the invoices of this month can be issued."""
    return (this_month().until + timedelta(hours=2)).astimezone(UTC)


async def rich(database: Database, make: Make, amount_vnd: int = 1_000_000) -> tuple[Party, Party]:
    """A startup with money, and the operator who credited it."""
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    async with database.session() as session:
        await credit_wallet(
            session,
            by=narrow(operator.caller, Operator, "operator", None),
            organisation_id=startup.organisation.id,
            amount_vnd=amount_vnd,
            reference="UNC 1",
            transfer_id=new_id(),
        )
    return startup, operator


async def charged(
    database: Database,
    startup: Party,
    owner: Party,
    *,
    dataset_id: UUID,
    price: int,
    version_id: str = "v1",
    agreement_id: UUID | None = None,
) -> UUID:
    """A query of the startup on the owner's data that was held, used and charged."""
    query = new_id()
    async with database.session() as session:
        held = await hold_query(session, query_id=query, startup_id=startup.organisation.id, amount_vnd=price)
        await charge_query(
            session, hold_id=held, query_id=query, owner_id=owner.organisation.id, amount_vnd=price,
            dataset_id=dataset_id,
        )  # fmt: skip
        usage = usage_recorded(
            query_id=query, organisation_id=startup.organisation.id, owner_id=owner.organisation.id,
            person_id=startup.person.id, agreement_id=agreement_id or new_id(), dataset_id=dataset_id,
            version_id=version_id,
            outcome="ready", bytes=1_000, rows=3, cpu_us=5, wall_us=7, peak_memory_bytes=9, price_vnd=price,
        )  # fmt: skip
        await perform(session, usage)
    return query


async def close(database: Database) -> tuple[Document, ...]:
    """This month's invoices that were not issued before."""
    return await close_month(database, period=this_month().period, at=afterwards(), close_after_s=3_600)


async def invoice_of(database: Database, startup: Party) -> Document:
    """The one that the startup's charges make now."""
    (made,) = [each for each in await close(database) if each.organisation_id == startup.organisation.id]
    return made


OF_BILLS = {"usage_is_charged", "shares_within_charge", "debits_equal_credits", "balance_is_fold"}


async def books_agree(session: AsyncSession) -> bool:
    """Debits, balances, charges and shares; what other tests left out of the log is no fault of bills."""
    return not await differences(session)


async def differences(session: AsyncSession) -> set[tuple[str, str]]:
    """Check and subject."""
    found = {(each.check, each.subject) for each in await reconcile(session)}
    return {(check, subject) for check, subject in found if check.split(":")[0] in OF_BILLS}
