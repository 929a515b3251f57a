"""What helps to choose a dataset: changes, estimates, use in bands, citations, what is like it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.billing.price import Measured, Standing, price
from marketplace.billing.terms import MICRO, Terms, Tier, Trial
from marketplace.db.base import new_id, utcnow
from marketplace.errors import Invalid
from marketplace.finding.calculator import estimate
from marketplace.finding.changes import compare
from marketplace.finding.citing import cite
from marketplace.finding.related import read_related
from marketplace.finding.use import Day, count_use, read_use
from marketplace.listings.models import Dataset
from marketplace.listings.reads import read_dataset
from marketplace.metering.models import UsageRow
from tests.marketplace.listed import list_dataset, version
from tests.marketplace.parties import Make

COLUMNS = version("x").columns


def test_what_changed_is_told_column_by_column() -> None:
    kept, changed, *_ = COLUMNS
    other = msgspec.structs.replace(changed, transform="year", role="sensitive")
    extra = msgspec.structs.replace(kept, name="mới")
    found = {(each.name, each.field) for each in compare((kept, changed), (other, extra))}
    expected = {(changed.name, "transform"), ("mới", "added"), (kept.name, "removed")}
    assert expected <= found
    assert compare(COLUMNS, COLUMNS) == ()


@given(st.integers(1, 40), st.integers(0, 3), st.integers(0, 5_000))
def test_an_estimate_is_the_sum_of_what_each_query_would_cost(queries: int, free: int, cap: int) -> None:
    terms = Terms(
        per_query_micro=100 * MICRO, tiers=(Tier(from_query=5, per_query_micro=50 * MICRO),),
        trial=Trial(queries=free) if free else None, cap_month_vnd=cap or None, per_gb_micro=10**12,
    )  # fmt: skip
    found = estimate(terms, COLUMNS, chosen=(), queries=queries)
    total = used = 0
    for place in range(queries):
        each = price(
            terms, Measured(bytes=found.bytes, rows=1), Standing(queries=place, vnd=total, trial_queries=used)
        )
        total, used = total + each.total_vnd, used + (each.trial_vnd is not None)
    assert found.all_vnd == total
    assert found.bytes == sum(column.logical_bytes for column in COLUMNS)


def test_an_unknown_column_has_no_estimate() -> None:
    with pytest.raises(Invalid):
        estimate(Terms(), COLUMNS, chosen=("drop table",), queries=1)


async def used_by(session: AsyncSession, make: Make, dataset: Dataset, *counts: int, at: datetime) -> None:
    """A company more for each count, which asked so often."""
    for count in counts:
        startup = await make.organisation(session, kind="startup")
        person = await make.person(session, startup)
        session.add_all(
            UsageRow(
                id=new_id(), query_id=new_id(), organisation_id=startup.id, owner_id=dataset.owner_id,
                person_id=person.id, agreement_id=new_id(), dataset_id=dataset.id,
                version_id=dataset.current_version_id or "", outcome="ready", bytes=1, rows=1, cpu_us=1, wall_us=1,
                peak_memory_bytes=1, price_vnd=1, at=at,
            )
            for _ in range(count)
        )  # fmt: skip
        await session.flush()


async def listed(session: AsyncSession, make: Make) -> Dataset:
    owner = await make.organisation(session, kind="owner")
    return await list_dataset(session, owner, await make.person(session, owner))


async def test_use_is_told_in_bands_from_five_companies_up(session: AsyncSession, make: Make) -> None:
    dataset, now = await listed(session, make), utcnow()
    await used_by(session, make, dataset, 1, 1, 1, 1, at=now - timedelta(days=2))
    assert await read_use(session, dataset.id, at=now) is None, "four companies are too few"
    assert await count_use(session, dataset.id, at=now) is None
    await used_by(session, make, dataset, 1, 1, at=now - timedelta(days=2))
    used = await count_use(session, dataset.id, at=now)
    assert used is not None
    assert await read_use(session, dataset.id, at=now) is None, "bands change once a day"
    assert await read_use(session, dataset.id, at=now + timedelta(days=1)) == used
    assert (used.companies_from, used.queries_from) == (5, 5)
    assert await count_use(session, dataset.id, at=now - timedelta(days=2)) is None, (
        "only whole days that are over"
    )


@pytest.mark.parametrize("own", [1, 69, 70, 71, 97])
async def test_a_company_finds_by_its_own_queries_nothing_of_how_many_the_others_ask(
    session: AsyncSession, make: Make, own: int
) -> None:
    """It asks until the band is the next one: were that at a sum, it would know what the others lacked to it."""
    now, told = utcnow(), set()
    for rivals in (26, 27, 99):
        dataset = await listed(session, make)
        await used_by(session, make, dataset, own, 1, 1, 1, rivals, at=now - timedelta(days=2))
        told.add(await count_use(session, dataset.id, at=now))
    assert len(told) == 1


@given(st.lists(st.integers(0, 9), max_size=30))
def test_no_more_bands_are_kept_than_there_is_room_for(asked: list[int]) -> None:
    most = 4
    day = Day(most=most)
    for number in asked:
        day.keep(UUID(int=number), None)
        assert UUID(int=number) in day.bands
        assert len(day.bands) <= most


async def test_a_citation_names_the_version_and_related_ones_are_others(session: AsyncSession, make: Make) -> None:
    owner = await make.organisation(session, kind="owner")
    person = await make.person(session, owner)
    dataset = await list_dataset(session, owner, person, title="Nhật ký tàu cá {50%} & _x_")
    other = await list_dataset(session, owner, person, title="Nhật ký tàu cá xa bờ")
    page = await read_dataset(session, dataset.id)
    assert page is not None
    cited = cite(page, site="https://san.example/")
    assert f"https://san.example/datasets/{page.slug}" in cited.text
    assert r"\{50\%\} \& \_x\_" in cited.bibtex
    assert page.version.id in cited.bibtex
    english = cite(structs.replace(page, title_en="A log of fishing boats"), site="https://san.example/")
    assert "A log of fishing boats (version 1, " in english.text_en
    assert "phiên bản 1" in english.text
    assert "A log of fishing boats" in english.bibtex_en
    assert "tàu cá" in english.bibtex
    nameless = cite(structs.replace(page, title_en=" "), site="https://san.example/")
    assert page.title_vi in nameless.text_en
    related = [each.slug for each in await read_related(session, page, at=utcnow())]
    assert related[0] == other.slug
    assert page.slug not in related
