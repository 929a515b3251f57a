"""Months become invoices: every charge on exactly one, numbers without gaps, tax to the đồng, whatever happens."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from marketplace.accounts.models import Organisation
from marketplace.billing.split import vat_within
from marketplace.calendar import VIETNAM
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.errors import Invalid
from marketplace.invoices.closing import AT_ONCE, close_month
from marketplace.invoices.document import sha256_of
from marketplace.invoices.errors import MonthNotOver
from marketplace.invoices.months import Rate, month_of, rates_of
from marketplace.invoices.reads import find
from marketplace.ledger.accounts import account_id
from marketplace.ledger.reads import balance
from tests.marketplace.broken_audit import broken_audit
from tests.marketplace.invoices.bills import afterwards, books_agree, charged, close, invoice_of, rich, this_month
from tests.marketplace.parties import Make, Party

# That one series is another test's, of a note as an older program wrote it.
NUMBERS = text("""
    select array_agg(number order by number) as numbers from (
        select series, year, number from invoice
        union all select series, year, number from invoice_edition where replaces) given
    where series <> '1C00TGC' group by series, year
""")
EVENTS = text("select body from event where name = 'invoice:issue' and body ->> 'invoice' = :id")


async def numbers_have_no_gap(database: Database) -> bool:
    rows = await database.all(NUMBERS, {})
    return bool(rows) and all(row.numbers == list(range(1, len(row.numbers) + 1)) for row in rows)


async def tax_payable(database: Database) -> int:
    async with database.reading() as session:
        return (await balance(session, account_id(None, "vat"))).balance


async def test_a_months_charges_become_one_invoice_with_a_line_a_dataset(database: Database, make: Make) -> None:
    startup, _ = await rich(database, make)
    owner = await make.party(database, kind="owner")
    one, two = new_id(), new_id()
    await close(database)
    before = await tax_payable(database)
    for dataset, price in ((one, 1_000), (one, 3_001), (two, 10_007)):
        await charged(database, startup, owner, dataset_id=dataset, price=price)
    made = await invoice_of(database, startup)
    assert [(line.dataset_id, line.queries, line.gross_vnd) for line in made.lines] == [
        (two, 1, 10_007), (one, 2, 4_001),
    ]  # fmt: skip
    assert [line.vat_vnd for line in made.lines] == [
        vat_within(line.gross_vnd, line.vat_permille) for line in made.lines
    ]
    assert made.gross_vnd == made.net_vnd + made.vat_vnd == 14_008
    assert await tax_payable(database) - before == made.vat_vnd
    async with database.reading() as session:
        found = await find(session, made.id, party=None)
        assert found.document == made
        assert found.sha256 == sha256_of(made)
        assert await books_agree(session)
    (event,) = await database.all(EVENTS, {"id": str(made.id)})
    assert (event.body["sha256"], event.body["number"]) == (found.sha256, made.name)


async def test_closing_again_bills_nothing_twice_and_what_came_late_is_billed_then(
    database: Database, make: Make
) -> None:
    startup, _ = await rich(database, make)
    owner = await make.party(database, kind="owner")
    await charged(database, startup, owner, dataset_id=new_id(), price=1_000)
    await invoice_of(database, startup)
    assert await close(database) == ()
    late = await charged(database, startup, owner, dataset_id=new_id(), price=2_000)
    further = await invoice_of(database, startup)
    assert further.gross_vnd == 2_000
    items = text("select query_id from invoice_item where invoice_id = :id")
    assert [row.query_id for row in await database.all(items, {"id": further.id})] == [late]


async def test_many_closings_at_once_bill_each_charge_once_and_leave_no_gap(
    database: Database, make: Make
) -> None:
    owner = await make.party(database, kind="owner")
    startups = [(await rich(database, make))[0] for _ in range(6)]
    for startup in startups:
        await charged(database, startup, owner, dataset_id=new_id(), price=1_234)
    closings = await asyncio.gather(*(close(database) for _ in range(8)))
    issued = [each.organisation_id for closing in closings for each in closing]
    assert all(issued.count(startup.organisation.id) == 1 for startup in startups)
    assert len(set(issued)) == len(issued)
    assert await numbers_have_no_gap(database)


async def test_a_closing_that_breaks_off_leaves_no_gap_and_is_taken_up_again(
    database: Database, make: Make, config: Config
) -> None:
    owner = await make.party(database, kind="owner")
    startups = [(await rich(database, make))[0] for _ in range(4)]
    for startup in startups:
        await charged(database, startup, owner, dataset_id=new_id(), price=1_234)
    broken = sorted(startups, key=lambda one: one.organisation.id.bytes)[2]
    with broken_audit(config, broken.organisation.id), pytest.raises(Exception, match="broken for a test"):
        await close(database)
    assert await numbers_have_no_gap(database)
    left = {each.organisation_id for each in await close(database)}
    assert broken.organisation.id in left
    assert await numbers_have_no_gap(database)
    assert all([await _billed(database, startup) == 1_234 for startup in startups])


async def test_however_many_cannot_be_billed_the_rest_are(database: Database, make: Make, config: Config) -> None:
    owner = await make.party(database, kind="owner")
    startups = [(await rich(database, make))[0] for _ in range(AT_ONCE + 1)]
    for startup in startups:
        await charged(database, startup, owner, dataset_id=new_id(), price=1_234)
    last, *broken = sorted(startups, key=lambda one: one.organisation.id.bytes)
    with (
        broken_audit(config, *(each.organisation.id for each in broken)),
        pytest.raises(Exception, match="broken for a test"),
    ):
        await close(database)
    assert await _billed(database, last) == 1_234
    assert {each.organisation_id for each in await close(database)} >= {each.organisation.id for each in broken}
    assert await numbers_have_no_gap(database)


async def _billed(database: Database, startup: Party) -> int:
    total = text("select sum(gross_vnd)::bigint as vnd from invoice where organisation_id = :id")
    (row,) = await database.all(total, {"id": startup.organisation.id})
    return int(row.vnd)


async def test_a_month_that_runs_or_is_just_over_is_not_closed(database: Database) -> None:
    month = this_month()
    for at in (month.since, month.until, month.until + timedelta(seconds=3_599)):
        with pytest.raises(MonthNotOver) as refused:
            await close_month(database, period=month.period, at=at, close_after_s=3_600)
    assert refused.value.params["ready"] == (month.until + timedelta(hours=1)).isoformat(timespec="minutes")
    await close_month(database, period=month.period, at=afterwards(), close_after_s=3_600)


@pytest.mark.parametrize("wrong", ["2026-13", "2026-1", "26-01", "2026-01-01", "x" * 99])
def test_what_is_no_month_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid):
        month_of(wrong)


def test_a_month_is_viet_nams_and_has_the_rates_of_its_days() -> None:
    december, january = month_of("2026-12"), month_of("2027-01")
    assert december.until == january.since
    assert december.since.astimezone(VIETNAM).isoformat() == "2026-12-01T00:00:00+07:00"
    assert rates_of(december) == [Rate(december.since, december.until, 80)]
    assert rates_of(january) == [Rate(january.since, january.until, 100)]


async def test_names_are_those_of_the_day_of_issue(database: Database, make: Make) -> None:
    startup, _ = await rich(database, make)
    owner = await make.party(database, kind="owner")
    await charged(database, startup, owner, dataset_id=new_id(), price=1_000)
    made = await invoice_of(database, startup)
    async with database.session() as session:
        organisation = await session.get(Organisation, startup.organisation.id)
        assert organisation is not None
        organisation.name = "Tên mới"
    async with database.reading() as session:
        again = await find(session, made.id, party=None)
    assert again.document.buyer.name == startup.organisation.name
    assert sha256_of(again.document) == again.sha256


async def test_free_queries_alone_make_no_invoice(database: Database, make: Make) -> None:
    startup, _ = await rich(database, make)
    owner = await make.party(database, kind="owner")
    free: UUID = await charged(database, startup, owner, dataset_id=new_id(), price=0)
    assert startup.organisation.id not in {each.organisation_id for each in await close(database)}
    paid = await charged(database, startup, owner, dataset_id=new_id(), price=1_000)
    made = await invoice_of(database, startup)
    items = text("select query_id from invoice_item where invoice_id = :id")
    assert {row.query_id for row in await database.all(items, {"id": made.id})} == {free, paid}
