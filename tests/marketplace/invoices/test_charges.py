"""What was charged without a query is billed in the month in which it was charged, and told to its owner."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.billing.reads import invoices
from marketplace.billing.split import rates_at, split, vat_within
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.einvoices.hdon import hdon
from marketplace.invoices.closing import close_month
from marketplace.ledger.accounts import account_id
from marketplace.ledger.reads import balance
from marketplace.metering.reads import Period, usage
from marketplace.offers.charges import charges
from marketplace.offers.charging import charge_months
from marketplace.payouts.booking import earnings
from marketplace.payouts.reads import read_statement
from tests.marketplace.invoices.bills import charged, invoice_of, this_month
from tests.marketplace.offers.test_charging import subscribe
from tests.marketplace.parties import Make

CHARGED_AT, CLOSED_AT = datetime(2026, 2, 5, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
FEE = {"law": "data-law-60-2024", "month_vnd": 3_000}
ROUNDED = text("""
    select sum(case when credit_account_id = :vat then amount else -amount end)::bigint as vnd
    from transfer where code = 'vat_rounding' and reference = :name
""")


async def test_charges_are_billed_taxed_and_told(database: Database, make: Make) -> None:
    await make.party(database, kind="operator")
    terms = {"month_vnd": 50_001, "minimum_month_vnd": 90_007, "statutory_fee": FEE}
    subscriber = await subscribe(database, credit=1_000_000, **terms)
    await charge_months(database, at=CHARGED_AT)
    issued = await close_month(database, period="2026-02", at=CLOSED_AT, close_after_s=3_600)
    (made,) = [one for one in issued if one.organisation_id == subscriber.sides.startup.organisation.id]
    lines = {line.code: line for line in made.lines}
    assert {code: (line.queries, line.gross_vnd, line.vat_permille) for code, line in lines.items()} == {
        "month": (2, 100_002, 80), "minimum": (1, 40_006, 80), "statutory_fee": (2, 6_000, 0),
    }  # fmt: skip
    assert (lines["month"].vat_vnd, lines["statutory_fee"].vat_vnd) == (vat_within(100_002, 80), 0)
    booked = sum(split(vnd, rates_at(CHARGED_AT)).tax for vnd in (50_001, 50_001, 40_006))
    row = await database.one(ROUNDED, {"vat": account_id(None, "vat"), "name": made.name})
    assert row is not None
    assert (row.vnd or 0) == made.vat_vnd - booked
    assert [one.text for one in hdon(made, seller_address="").iterfind(".//HHDVu/TSuat")] == ["8%", "8%", "KCT"]
    assert await close_month(database, period="2026-02", at=CLOSED_AT, close_after_s=3_600) == ()
    async with database.reading() as session:
        told = await read_statement(session, subscriber.sides.owner.organisation.id, this_month().period)
        earned = (await balance(session, earnings(subscriber.sides.owner.organisation.id))).balance
    assert {line.code: line.charged_vnd for line in told.lines} == {
        code: line.gross_vnd for code, line in lines.items()
    }
    assert told.earned_vnd == earned > 0
    for line in told.lines:
        assert line.charged_vnd == line.owner_vnd + line.state_vnd + line.tax_vnd + line.platform_vnd


async def test_invoices_statements_charges_and_the_ledger_say_the_same_of_a_month(
    database: Database, make: Make
) -> None:
    """An agreement whose month, statutory fee and minimum are charged in this month, beside one query."""
    operator = await make.party(database, kind="operator")
    reader = await make.party(database, kind="regulator")
    terms = {"month_vnd": 50_001, "minimum_month_vnd": 90_007, "statutory_fee": FEE}
    subscriber = await subscribe(database, credit=1_000_000, **terms)
    startup, owner = subscriber.sides.startup, subscriber.sides.owner
    now, month = utcnow(), this_month().period
    async with database.reading() as session:
        before = {party.person.id: await total_of(session, party.caller) for party in (operator, reader)}
        held = {
            kind: (await balance(session, account_id(None, kind))).balance for kind in ("platform", "state_budget")
        }
    await charge_months(database, at=now)
    query = await charged(database, startup, owner, dataset_id=subscriber.sides.dataset_id, price=777)
    async with database.reading() as session:
        cost, earned = await total_of(session, startup.caller), await total_of(session, owner.caller)
        spent = 1_000_000 - (await balance(session, subscriber.wallet)).balance
        account = (await balance(session, earnings(owner.organisation.id))).balance
        used = await usage(session, kind="startup", party_id=startup.organisation.id, period=Period())
        listed = await charges(session, party_id=startup.organisation.id)
        told = await read_statement(session, owner.organisation.id, month)
        for party, kind in ((operator, "platform"), (reader, "state_budget")):
            booked = (await balance(session, account_id(None, kind))).balance - held[kind]
            assert await total_of(session, party.caller) - before[party.person.id] == booked > 0
    assert [row.query_id for row in used.items] == [query]
    assert {one.code for one in listed.items} == {"month", "statutory_fee", "minimum"}
    assert spent == cost == used.totals.price_vnd + sum(one.amount_vnd for one in listed.items)
    assert account == earned == told.earned_vnd == told.closing_vnd
    assert sum(line.charged_vnd for line in told.lines) == spent
    invoice = await invoice_of(database, startup)
    assert invoice.gross_vnd == spent
    assert {(line.code, line.queries, line.charged_vnd) for line in told.lines} == {
        (line.code, line.queries, line.gross_vnd) for line in invoice.lines
    }


async def total_of(session: AsyncSession, caller: Caller) -> int:
    """What this month's statement in `GET /invoices` comes to."""
    found = await invoices(session, caller, 1)
    return sum(one.total_vnd for one in found)
