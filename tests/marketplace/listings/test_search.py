"""Datasets in the catalogue: found by what they say, titles first, page after page."""

from __future__ import annotations

import secrets
import unicodedata

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.errors import Invalid
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.models import DatasetVersion
from marketplace.listings.searched import index_unread
from marketplace.search.models import ListingSearch
from tests.marketplace.listed import list_dataset
from tests.marketplace.parties import Make


async def _find(session: AsyncSession, q: str) -> list[str]:
    return [item.slug for item in (await list_datasets(session, q=q)).items]


@pytest.mark.parametrize(
    "q", ["dan so", "dân số", "DAN SO", "  Số,  DÂN! ", unicodedata.normalize("NFD", "dân số")]
)
async def test_diacritics_case_and_order_do_not_matter(session: AsyncSession, make: Make, q: str) -> None:
    owner = await make.organisation(session, kind="owner")
    mark = secrets.token_hex(6)
    dataset = await list_dataset(
        session, owner, await make.person(session, owner), title=f"Đặc điểm dân số {mark}"
    )
    assert (await _find(session, f"{q} {mark}"))[:1] == [dataset.slug]
    assert (await _find(session, f"dac diem {mark}"))[:1] == [dataset.slug]


async def test_words_in_any_order_and_signs_that_are_none(session: AsyncSession, make: Make) -> None:
    owner = await make.organisation(session, kind="owner")
    mark = secrets.token_hex(6)
    dataset = await list_dataset(
        session, owner, await make.person(session, owner), title=f"Giấy phép lái xe {mark}"
    )
    assert (await _find(session, f"giay lai {mark}"))[:1] == [dataset.slug]
    assert (await _find(session, f"% {mark}"))[:1] == [dataset.slug], "signs are no words and no wildcards"


async def test_titles_rank_before_descriptions(session: AsyncSession, make: Make) -> None:
    owner = await make.organisation(session, kind="owner")
    person, mark = await make.person(session, owner), secrets.token_hex(6)
    in_title = await list_dataset(session, owner, person, title=f"Thu nhập {mark}")
    in_text = await list_dataset(session, owner, person, title=f"Điều tra {mark}", description="có cả thu nhập")
    assert (await _find(session, f"thu nhap {mark}"))[:2] == [in_title.slug, in_text.slug]
    assert await _find(session, mark) == [in_text.slug, in_title.slug], "else newest first"


async def test_pages_of_a_search_neither_skip_nor_repeat(session: AsyncSession, make: Make) -> None:
    owner = await make.organisation(session, kind="owner")
    person, mark = await make.person(session, owner), secrets.token_hex(6)
    for number in range(7):
        title = f"Bảng {number}" if number % 2 else f"Bảng {mark} {number}"
        await list_dataset(session, owner, person, title=title, description=mark)
    whole = await _find(session, mark)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await list_datasets(session, q=mark, cursor=cursor, limit=2)
        seen += [item.slug for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == whole
    assert len(set(seen)) == 7
    with pytest.raises(Invalid):
        await list_datasets(session, q=mark, cursor="WyJ4Il0")


async def test_a_dataset_that_cannot_be_read_keeps_no_other_out_of_the_index(
    session: AsyncSession, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    owner = await make.organisation(session, kind="owner")
    person = await make.person(session, owner)
    earlier, broken, later = [(await list_dataset(session, owner, person)).id for _ in range(3)]
    wrong = update(DatasetVersion).where(DatasetVersion.dataset_id == broken)
    await session.execute(wrong.values(body={}))
    await session.execute(delete(ListingSearch).where(ListingSearch.listing_id.in_((broken, later))))
    assert await index_unread(session, after=earlier, most=1) == [broken]
    assert f"{broken} is not in the index" in caplog.text
    assert await index_unread(session, after=broken, most=1) == [later], "what failed is not looked at again"
    there = select(ListingSearch.listing_id).where(ListingSearch.listing_id.in_((broken, later)))
    assert list(await session.scalars(there)) == [later]
