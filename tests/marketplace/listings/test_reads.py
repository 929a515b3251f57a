"""The page of a dataset."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.billing.terms import MICRO
from marketplace.db.base import new_id
from marketplace.listings.reads import dataset_id_of, listed_version, read_dataset
from marketplace.offers.models import Offer
from tests.marketplace.listed import PURPOSES, list_dataset
from tests.marketplace.parties import Make


async def test_a_page_says_what_is_for_sale(session: AsyncSession, make: Make) -> None:
    owner = await make.organisation(session, kind="owner")
    dataset = await list_dataset(session, owner, await make.person(session, owner))
    page = await read_dataset(session, dataset.slug)
    assert page is not None
    assert (page.id, page.owner_name, page.purposes) == (dataset.id, owner.name, PURPOSES)
    assert page.price is not None
    assert (page.price.base_vnd, page.price.per_gb_vnd) == (1000, 5000)
    assert (page.version.number, page.version.k, page.version.measured.k) == (1, 10, 10)
    assert [column.meaning_vi for column in page.columns] == ["nghề", "nghề"]
    assert page.sample.synthetic
    assert page.six_clear.who == owner.name


async def test_the_newest_offer_is_the_price(session: AsyncSession, make: Make) -> None:
    owner = await make.organisation(session, kind="owner")
    dataset = await list_dataset(session, owner, await make.person(session, owner))
    terms = {"per_query_micro": 7 * MICRO, "per_gb_micro": 8 * MICRO}
    session.add(Offer(dataset_id=dataset.id, name="standard", number=2, terms=terms))
    await session.flush()
    page = await read_dataset(session, dataset.id)
    assert page is not None
    assert page.price is not None
    assert page.price.base_vnd == 7


async def test_what_has_no_version_is_not_listed(session: AsyncSession, make: Make) -> None:
    owner = await make.organisation(session, kind="owner")
    dataset = await list_dataset(session, owner, await make.person(session, owner))
    dataset.current_version_id = None
    await session.flush()
    assert await read_dataset(session, dataset.id) is None
    assert await listed_version(session, dataset.id) is None
    assert await dataset_id_of(session, dataset.slug) is None


async def test_id_and_slug_name_the_same_dataset(session: AsyncSession, make: Make) -> None:
    owner = await make.organisation(session, kind="owner")
    dataset = await list_dataset(session, owner, await make.person(session, owner))
    for name in (dataset.id, str(dataset.id), dataset.slug):
        assert await dataset_id_of(session, name) == dataset.id
    assert await dataset_id_of(session, dataset.id, owner_id=owner.id) == dataset.id
    assert await dataset_id_of(session, dataset.id, owner_id=new_id()) is None
    assert await dataset_id_of(session, "khong_co") is None
