"""Only what ran over a version while the person was in it, and for that purpose, counts as use of her data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Organisation
from marketplace.agreements.models import Agreement
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.metering.models import UsageRow
from marketplace.queries.models import Query
from marketplace.subjects.use import Shown, count_use
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.parties import Make

RESEARCH, SERVICE = "research.academic", "public.service"
SINCE, UNTIL = datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
OLD, NEW = "11" * 32, "22" * 32


async def ran(
    session: AsyncSession,
    sides: Sides,
    agreement: Agreement,
    version_id: str,
    at: datetime,
    purpose: str = RESEARCH,
) -> None:
    """A query that was charged at that instant."""
    common = {"organisation_id": agreement.startup_id, "person_id": sides.startup.person.id, "bytes": 0}
    query_id = new_id()
    session.add(
        Query(
            id=query_id, purpose=purpose, sql="select 1", state="ready", decision={}, quote_vnd=0, **common,
        )
    )  # fmt: skip
    session.add(
        UsageRow(
            query_id=query_id, outcome="ready", rows=1, cpu_us=0, wall_us=0, peak_memory_bytes=0, price_vnd=0,
            at=at, agreement_id=agreement.id, dataset_id=agreement.dataset_id, owner_id=agreement.owner_id,
            version_id=version_id, **common,
        )
    )  # fmt: skip


async def test_use_is_counted_by_month_while_the_person_was_shown(
    database: Database, session: AsyncSession
) -> None:
    sides = await open_sides(database)
    agreement = await session.get_one(Agreement, await sides.agreement(database))
    second = timedelta(seconds=1)
    for at in (SINCE - second, SINCE, UNTIL - second, UNTIL):
        await ran(session, sides, agreement, NEW, at)
    midnight_in_vietnam = datetime(2026, 10, 31, 17, tzinfo=UTC)
    for at in (midnight_in_vietnam - second, midnight_in_vietnam):
        await ran(session, sides, agreement, OLD, at)
    await ran(session, sides, agreement, OLD, UNTIL - second)
    await ran(session, sides, agreement, NEW, SINCE, SERVICE)
    await session.flush()
    shown = [
        Shown(version_id=NEW, purpose=RESEARCH, until=UNTIL),
        Shown(version_id=OLD, purpose=RESEARCH, until=midnight_in_vietnam + second),
    ]
    counted = await count_use(session, shown, since=SINCE, least_companies=3)
    assert counted == {
        (agreement.dataset_id, RESEARCH): {
            ("2025-12", "startup"): 1,
            ("2026-10", "startup"): 1,
            ("2026-11", "startup"): 2,
        }
    }
    assert await count_use(session, [], since=SINCE, least_companies=3) == {}


async def test_a_sector_is_told_only_where_several_companies_share_it(
    database: Database, session: AsyncSession, make: Make
) -> None:
    sides = await open_sides(database)
    agreement = await session.get_one(Agreement, await sides.agreement(database))
    await ran(session, sides, agreement, NEW, SINCE)
    shown = [Shown(version_id=NEW, purpose=RESEARCH, until=UNTIL)]
    companies = [await session.get_one(Organisation, agreement.startup_id)]
    companies += [await make.organisation(session, kind="startup") for _ in range(2)]
    told = []
    for company in companies:
        company.sector = "research"
        await session.flush()
        counted = await count_use(session, shown, since=SINCE, least_companies=3)
        told += [company for _, company in counted[agreement.dataset_id, RESEARCH]]
    assert told == ["startup", "startup", "research"]
