"""Finding listings: spellings, meanings, mistakes, what ranks first, facets, and questions that mean harm."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.search.indexing import count_words, drop_listing, put_listing
from marketplace.search.lexemes import Column, Listing
from marketplace.search.ranking import Found, Hit, find
from tests.examples import tried

NOW = utcnow()


class Shelf:
    """Listings of one theme that nobody else has, by their titles."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.theme = secrets.token_hex(8)
        self.titles: dict[uuid.UUID, str] = {}

    async def put(self, title: str, text: str = "", column: str = "", **said: object) -> uuid.UUID:
        listing = Listing(
            names=(title,),
            texts=(text,),
            columns=(Column(column, ()),),
            **{  # type: ignore[arg-type]
                "id": new_id(), "themes": (self.theme,), "owner_name": "Bộ Y tế", "owner_slug": "bo-y-te",
                "spatial": "VN", "licence": "CC0-1.0", "purposes": ("research.academic",),
                "state_class": None, "price_vnd": 0,
                "released_at": NOW, **said,
            },
        )  # fmt: skip
        await put_listing(self.session, listing)
        self.titles[listing.id] = title
        return listing.id

    async def ask(self, q: str, **chosen: tuple[str, ...]) -> Found:
        return await find(self.session, q, at=NOW, limit=50, chosen={"theme": (self.theme,), **chosen})

    async def find(self, q: str, **chosen: tuple[str, ...]) -> list[str]:
        return [self.titles[hit.listing_id] for hit in (await self.ask(q, **chosen)).hits]


@pytest.fixture
async def shelf(session: AsyncSession) -> Shelf:
    made = Shelf(session)
    for title, text in (
        ("Giấy phép lái xe Hải Dương", "Theo hạng."),
        ("Giấy phép xây dựng", "Công trình được cấp phép."),
        ("Thuế thu nhập cá nhân", "Tờ khai."),
        ("Thuê bao di động", "Theo nhà mạng."),
        ("Dân số và cơ cấu tuổi Đà Nẵng", "Nhân khẩu."),
        ("Cơ sở y tế", "Số giường."),
        ("Household income survey", "Spending of households."),
        ("Đội ngũ giáo viên Nha Trang", "Thâm niên."),
        ("Trẻ em được khai sinh", "Tuổi của mẹ."),
    ):
        await made.put(title, text)
    return made


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("bằng lái", "Giấy phép lái xe Hải Dương"),
        ("driving licences", "Giấy phép lái xe Hải Dương"),
        ("giaypheplaixe", "Giấy phép lái xe Hải Dương"),
        ("giay phep lai xe hai phong", "Giấy phép lái xe Hải Dương"),
        ("thuế", "Thuế thu nhập cá nhân"),
        ("thuê", "Thuê bao di động"),
        ("personal income tax", "Thuế thu nhập cá nhân"),
        ("dan so Quảng Nam", "Dân số và cơ cấu tuổi Đà Nẵng"),
        ("daan soos", "Dân số và cơ cấu tuổi Đà Nẵng"),
        ("dân sô", "Dân số và cơ cấu tuổi Đà Nẵng"),
        ("population", "Dân số và cơ cấu tuổi Đà Nẵng"),
        ("bệnh viện", "Cơ sở y tế"),
        ("hosehold", "Household income survey"),
        ("housholds", "Household income survey"),
        ("survey of incom", "Household income survey"),
        ("thu nhập hộ gia đình", "Household income survey"),
        ('"cơ cấu tuổi"', "Dân số và cơ cấu tuổi Đà Nẵng"),
        ("gv", "Đội ngũ giáo viên Nha Trang"),
        ("gplx", "Giấy phép lái xe Hải Dương"),
        ("mật độ dân số các xã", "Dân số và cơ cấu tuổi Đà Nẵng"),
        ("giáo viên miền Trung", "Đội ngũ giáo viên Nha Trang"),
        ("teacher khanh hoa", "Đội ngũ giáo viên Nha Trang"),
        ("tỷ suất sinh", "Trẻ em được khai sinh"),
        ("fertility", "Trẻ em được khai sinh"),
        ("social housing giáo viên", "Đội ngũ giáo viên Nha Trang"),
        ("giaasy phesp lais xe", "Giấy phép lái xe Hải Dương"),
        ("gia61y phe1p la1i", "Giấy phép lái xe Hải Dương"),
        ("thuees BTC", "Thuế thu nhập cá nhân"),
        ("BYT giường bệnh", "Cơ sở y tế"),
        ("thuế Cà Mau", "Thuế thu nhập cá nhân"),
    ],
)
async def test_what_is_meant_comes_first(shelf: Shelf, q: str, first: str) -> None:
    assert (await shelf.find(q))[0] == first


async def test_a_quoted_phrase_stands_side_by_side(shelf: Shelf) -> None:
    assert await shelf.find('"cấu tuổi"') == ["Dân số và cơ cấu tuổi Đà Nẵng"]
    assert await shelf.find('"tuổi cấu"') == []


async def test_nothing_is_found_for_what_nobody_lists(shelf: Shelf) -> None:
    assert await shelf.find("xylophonezzz") == []


async def test_a_mended_question_says_so(shelf: Shelf) -> None:
    found = await shelf.ask("hosehold")
    assert found.was_mended
    assert [word.folded for word in found.question.words] == ["household"]
    assert not (await shelf.ask("household")).was_mended


async def test_initials_are_written_out_and_a_word_with_a_meaning_is_never_mended(shelf: Shelf) -> None:
    await shelf.put("Lý lịch tư pháp")
    found = await shelf.ask("lltp")
    assert found.was_mended
    assert [word.folded for word in found.question.words] == ["li", "lich", "tu", "phap"]
    await shelf.put("Vaccin", text="Số mũi")
    unknown = await shelf.ask("vaccine")
    assert not unknown.was_mended, "one letter off, but a word that is known, and another listing's it may be"


async def test_the_words_of_a_known_phrase_do_not_find_it_where_they_stand_apart(session: AsyncSession) -> None:
    shelf = Shelf(session)
    await shelf.put("Giao hàng", text="Thông tin về tai họa và nạn đói")
    await shelf.put("Tai nạn giao thông")
    assert await shelf.find("tai nạn giao thông") == ["Tai nạn giao thông"]


async def test_a_syllable_counts_little_without_its_neighbour_and_a_word_little_with_other_marks(
    session: AsyncSession,
) -> None:
    shelf = Shelf(session)
    await shelf.put("Trống đồng", text="Hoa văn mặt trời")
    await shelf.put("Đồng hồ", text="Trên mặt trống")
    await shelf.put("Kết quả lựa chọn")
    await shelf.put("Năng suất lúa")
    await shelf.put("Trạm Điện Biên")
    await shelf.put("Tiêu thụ điện", text="Theo trạm.")
    assert (await shelf.find("trống đồng đông sơn"))[0] == "Trống đồng"
    assert (await shelf.find("lúa"))[0] == "Năng suất lúa"
    assert (await shelf.find("trạm điện"))[0] == "Tiêu thụ điện"


async def test_a_syllable_that_no_listing_has_is_no_mistake(shelf: Shelf) -> None:
    assert not (await shelf.ask("khuấy giáo viên")).was_mended
    assert not (await shelf.ask("tp giáo viên")).was_mended, "nor what all say, though it may be initials"


async def test_titles_rank_before_descriptions_and_those_before_columns(session: AsyncSession) -> None:
    shelf = Shelf(session)
    await shelf.put("Điều tra ba", column="kinh_lup")
    await shelf.put("Điều tra hai", text="Có cả kính lúp trong đó")
    await shelf.put("Kính lúp")
    assert await shelf.find("kinh lup") == ["Kính lúp", "Điều tra hai", "Điều tra ba"]


async def test_those_that_have_every_word_stand_before_those_that_lack_one(shelf: Shelf) -> None:
    found = await shelf.ask("household permits survey")
    assert shelf.titles[found.hits[0].listing_id] == "Household income survey"
    found = await shelf.ask("dân số giáo viên")
    assert len(found.hits) > 1
    assert found.partly
    await shelf.put("Giáo viên và dân số")
    assert (await shelf.find("dân số giáo viên"))[0] == "Giáo viên và dân số"


async def test_facets_narrow_and_count_what_else_could_be_chosen(session: AsyncSession) -> None:
    shelf = Shelf(session)
    await shelf.put("Mưa Huế", price_vnd=0, licence="CC0-1.0")
    await shelf.put("Mưa Hải Dương", price_vnd=5_000, licence="CC0-1.0", purposes=("product.rnd",))
    await shelf.put("Mưa Cà Mau", price_vnd=None, released_at=NOW - timedelta(days=200), quality=95)
    assert await shelf.find("mưa", province=("hai-phong",)) == ["Mưa Hải Dương"]
    assert set(await shelf.find("mưa", price=("free", "none"))) == {"Mưa Huế", "Mưa Cà Mau"}
    assert set(await shelf.find("mưa", freshness=("month",))) == {"Mưa Huế", "Mưa Hải Dương"}
    assert await shelf.find("mưa", purpose=("product.rnd",), price=("free",)) == []
    found = await shelf.ask("mưa", province=("hue",))
    counted = {facet.name: {each.value: each.listings for each in facet.values} for facet in found.facets}
    assert counted["province"] == {"hue": 1, "hai-phong": 1, "ca-mau": 1}, "its own choice does not narrow it"
    assert counted["price"] == {"free": 1}
    assert (found.listings, found.more) == (1, False)
    everything = await shelf.ask("")
    counted = {facet.name: {each.value: each.listings for each in facet.values} for facet in everything.facets}
    assert counted["freshness"] == {"month": 2, "quarter": 2, "year": 3}
    assert counted["quality"] == {"high": 1}
    await shelf.put("Mưa", released_at=NOW - timedelta(days=1))
    dated = await find(session, "mưa", at=NOW, limit=9, chosen={"theme": (shelf.theme,)}, newest_first=True)
    assert [shelf.titles[hit.listing_id] for hit in dated.hits][2:] == ["Mưa", "Mưa Cà Mau"]


async def test_pages_neither_skip_nor_repeat(shelf: Shelf) -> None:
    whole = (await shelf.ask("giấy thuế")).hits
    assert len(whole) >= 4
    seen: list[Hit] = []
    while page := (
        await find(shelf.session, "giấy thuế", at=NOW, limit=2, chosen={"theme": (shelf.theme,)},
                   after=seen[-1] if seen else None)
    ).hits:  # fmt: skip
        seen += page
    assert tuple(seen) == whole


async def test_what_is_dropped_or_changed_is_found_so_no_more(shelf: Shelf, session: AsyncSession) -> None:
    listing_id = await shelf.put("Tê giác")
    assert (await shelf.find("te giac"))[0] == "Tê giác"
    await drop_listing(session, listing_id)
    assert "Tê giác" not in await shelf.find("tê giác")


async def test_a_word_that_only_a_withdrawn_listing_had_is_not_suggested(
    shelf: Shelf, session: AsyncSession
) -> None:
    listing_id = await shelf.put("Xylophonetics")
    assert (await shelf.ask("xylophonetix")).was_mended
    await drop_listing(session, listing_id)
    found = await shelf.ask("xylophonetix")
    assert not found.was_mended
    assert [word.folded for word in found.question.words] == ["xylophonetix"]


@pytest.mark.parametrize(
    "q",
    [
        " ".join(f"zqx{letter}wvk" for letter in "abcdefghijkl"),
        " ".join(["daansoos"] * 40),
        '"' + " ".join(["tỉnh"] * 12) + '"',
        "gplx* " * 12,
        "b c d g h k l m n p q r",
    ],
)
async def test_no_question_asks_the_database_often(shelf: Shelf, session: AsyncSession, q: str) -> None:
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    connection = (await session.connection()).sync_connection
    event.listen(connection, "before_cursor_execute", count)
    try:
        await shelf.ask(q, province=("hue",), price=("free",), freshness=("year",))
    finally:
        event.remove(connection, "before_cursor_execute", count)
    assert 1 < len(asked) <= 9


async def test_counted_words_weigh_the_rare_one_more(shelf: Shelf, session: AsyncSession) -> None:
    for number in range(12):
        await shelf.put(f"Trạm đo {number}")
    await shelf.put("Trạm đo hoàng hôn")
    await count_words(session)
    assert (await shelf.find("trạm hoàng"))[0] == "Trạm đo hoàng hôn"


HOSTILE = (
    "' or 1=1 --", "a:* | !b & (c <-> d)", "%_\\", "\x00\ud7ff", '"', '""""', "🦏" * 50, "(((((((" * 20, "a " * 99,
    "<script>alert(1)</script>", "x" * 5_000, "'" * 199, "\u202e\u200b", "b'c\\d'e", "*", "a*", ":", "&|!",
)  # fmt: skip


@pytest.mark.parametrize("q", HOSTILE)
async def test_hostile_questions_are_questions(shelf: Shelf, q: str) -> None:
    token = f"zq{secrets.token_hex(6)}"
    await shelf.put(token)
    await shelf.ask(q)
    # None is of a licence or an owner of that name, and the catalogue is what it was.
    assert (await shelf.ask(token, licence=(q,), owner=(q, q))).hits == ()
    assert await shelf.find(token) == [token]


@settings(max_examples=tried(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(q=st.text(max_size=60))
async def test_no_question_fails(database: Database, q: str) -> None:
    async with database.session() as session:
        found = await find(session, q, at=NOW, limit=3)
    assert len(found.hits) <= min(3, found.listings)


async def test_of_a_word_of_very_many_a_sample_is_read_first_and_all_where_it_holds_too_few(
    session: AsyncSession,
) -> None:
    shelf = Shelf(session)
    word = f"zq{secrets.token_hex(6)}"
    sampled = [await shelf.put(word, id=uuid.UUID(int=(new_id().int >> 8 << 8) + 8)) for _ in range(3)]
    others = [await shelf.put(word, id=uuid.UUID(int=(new_id().int >> 8 << 8) + 1)) for _ in range(3)]

    async def found_where_it_stands_in(listings: int) -> set[uuid.UUID]:
        await session.execute(
            sql("""
            insert into search_word (word, listings)
            values ('', :listings), (:word, :listings), (:title, :listings)
            on conflict (word) do update set listings = excluded.listings
            """),
            {"word": word, "title": f"^{word}", "listings": listings},
        )
        return {hit.listing_id for hit in (await find(session, word, at=NOW, limit=50)).hits}

    assert await found_where_it_stands_in(2_000) == {*sampled, *others}
    assert await found_where_it_stands_in(60_000) == set(sampled), "the postings of all are too many"
