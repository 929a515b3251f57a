"""Looks at another catalogue: what is new, changed, gone and back; what it costs the other side; what fails."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from sqlalchemy import update

from marketplace.db.engine import Database
from marketplace.harvest.actions import stop_source
from marketplace.harvest.errors import SourceKnown
from marketplace.harvest.jobs import read_some_anew
from marketplace.harvest.models import ExternalListing, HarvestSource
from marketplace.harvest.reads import external_listings
from tests.market import Market
from tests.marketplace.harvest.conftest import Elsewhere, Harvester, counts

HOSTILE = "<script>alert(1)</script>Đường<b onclick=x>bộ</b> \u202egnp.exe\u202c\x00\x1b[31m &lt;i&gt;"


def package(n: int, *, day: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"id-{n}",
        "name": f"name-{n}",
        "title": f"Gói {n}",
        "notes": "Mô tả",
        "metadata_modified": f"2026-01-{day:02}T00:00:00",
        "organization": {"title": "Sở"},
        "tags": [{"name": "giao thông"}],
        "resources": [{"format": "CSV"}],
        **more,
    }


async def test_ckan_is_read_whole_once_and_then_only_what_changed(
    elsewhere: Elsewhere, harvester: Harvester
) -> None:
    packages = [package(n) for n in range(250)]
    elsewhere.answer(packages=packages)
    source = await harvester.add(f"{elsewhere.url}/{secrets.token_hex(3)}/..", "ckan")
    run = await harvester.look(source)
    assert (run.state, run.code, counts(run)) == ("done", None, (250, 0, 0, 0, 0, 0))
    assert [path.split("?")[0] for path in elsewhere.paths()] == ["/api/3/action/package_search"] * 3
    assert {each["agent"] for each in elsewhere.seen()} == {"sandulieu-harvester/1"}

    changed = [package(0, day=3, title="Khác"), *packages[1:249], package(999, day=2)]
    elsewhere.answer(packages=changed)
    run = await harvester.look(source)
    assert (run.state, counts(run)) == ("done", (1, 1, 248, 0, 1, 0))
    found = await harvester.listings(source)
    assert found["id-0"].title == "Khác"
    assert found["id-249"].vanished_at is not None
    assert found["id-249"].title == "Gói 249", "marked, not deleted"

    run = await harvester.look(source)
    assert counts(run) == (0, 0, 250, 0, 0, 0)
    elsewhere.answer(packages=[*changed, package(249, day=4)])
    run = await harvester.look(source)
    assert (run.new, run.returned, run.vanished) == (0, 1, 0)
    assert (await harvester.listings(source))["id-249"].vanished_at is None


async def test_a_document_that_is_as_it_was_is_not_sent_again(elsewhere: Elsewhere, harvester: Harvester) -> None:
    document = (
        '{"dataset": [{"identifier": "a", "title": "Một", "publisher": {"name": "Bộ"}, "keyword": ["x"],'
        ' "distribution": [{"downloadURL": "https://a.example/f.csv", "format": "CSV"}]},'
        ' {"identifier": "b", "title": ""}, {"title": "Không id"}, 7, {"identifier": "a", "title": "Hai lần"}]}'
    )
    elsewhere.answer(document=document, etag='"1"')
    source = await harvester.add(f"{elsewhere.url}/{secrets.token_hex(3)}/data.json", "data_json")
    run = await harvester.look(source)
    assert counts(run) == (1, 0, 0, 0, 0, 4)
    assert [each["code"] for each in run.refusals] == ["no_title", "no_id", "not_a_dataset", "twice"]
    assert (await harvester.listings(source))["a"].url == "https://a.example/f.csv"
    run = await harvester.look(source)
    assert (run.state, run.code, counts(run)) == ("done", "not_modified", (0, 0, 0, 0, 0, 0))
    assert (await harvester.listings(source))["a"].vanished_at is None
    elsewhere.answer(document='{"dataset": []}', etag='"2"')
    assert (await harvester.look(source)).vanished == 1


async def test_pages_of_dcat_are_followed_and_a_circle_is_left(elsewhere: Elsewhere, harvester: Harvester) -> None:
    root = f"/{secrets.token_hex(3)}"
    page = (
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> ."
        " @prefix hydra: <http://www.w3.org/ns/hydra/core#> ."
        ' <urn:x:{n}> a dcat:Dataset ; dct:title "Title"@en, "Tên {n}"@vi ; dct:spatial [ a dct:Location ] .'
        " <> hydra:next <{next}> ."
    )
    second = f"{elsewhere.url}{root}/2"
    documents = {f"{root}/1": page.format(n=1, next=second), f"{root}/2": page.format(n=2, next="mailto:x")}
    elsewhere.answer(documents=documents, type="text/turtle")
    source = await harvester.add(f"{elsewhere.url}{root}/1", "dcat")
    run = await harvester.look(source)
    assert (run.state, counts(run)) == ("done", (2, 0, 0, 0, 0, 0))
    assert (await harvester.listings(source))["urn:x:2"].title == "Tên 2"
    assert counts(await harvester.look(source)) == (0, 0, 2, 0, 0, 0)
    documents[f"{root}/2"] = page.format(n=3, next=f"{elsewhere.url}{root}/1")
    elsewhere.answer(documents=documents, type="text/turtle")
    run = await harvester.look(source)
    assert (run.state, run.code) == ("failed", "pages_in_a_circle")
    assert run.vanished == 0, "a run that came to no end says nothing of what is gone"


async def test_hostile_texts_are_plain_and_addresses_are_web_addresses(
    elsewhere: Elsewhere, harvester: Harvester, database: Database
) -> None:
    word = secrets.token_hex(4)
    hostile = package(
        1, title=f"{word} {HOSTILE}", notes="x" * 200_000, url="javascript:x", tags=[{"name": HOSTILE}] * 99,
        organization=["?"], resources={"format": "CSV"}, extras="?",
    )  # fmt: skip
    elsewhere.answer(packages=[hostile])
    source = await harvester.add(f"{elsewhere.url}/{word}/..", "ckan")
    run = await harvester.look(source)
    assert counts(run) == (1, 0, 0, 0, 0, 0)
    async with database.session() as session:
        (shown,) = (await external_listings(session, q=word)).items
    assert shown.title == f"{word} Đường bộ gnp.exe [31m <i>"
    assert len(shown.description) == 10_000
    assert shown.url == f"{elsewhere.url}/{word}/../dataset/name-1"
    assert (len(shown.themes), shown.external) == (1, True)


async def test_what_is_meant_is_found_the_best_first_page_after_page_and_by_todays_synonyms(
    elsewhere: Elsewhere, harvester: Harvester, database: Database
) -> None:
    word = secrets.token_hex(4)
    said = [
        package(0, title="Khác", notes=f"Nói về {word} và giấy phép lái xe"),
        *(package(n, title=f"Bằng lái xe {word} {n}", notes="") for n in range(1, 4)),
        package(4, title="Sổ đỏ", notes=f"Thuế {word}"),
    ]
    elsewhere.answer(packages=said)
    source = await harvester.add(f"{elsewhere.url}/{word}/..", "ckan")
    await harvester.look(source)

    async def found(q: str) -> list[str]:
        titles, cursor = [], None
        async with database.session() as session:
            while True:
                page = await external_listings(session, q=q, cursor=cursor, limit=2)
                titles += [each.title for each in page.items]
                cursor = page.next
                if cursor is None:
                    return titles

    assert len(await found(f"driving licence {word}")) == 4
    assert (await found(f"gplx {word}"))[-1] == "Khác", "titles come first"
    assert await found(f"{word[:6]} thue") == [], "only the last word goes on"
    assert await found(f"thue {word[:6]}") == ["Sổ đỏ"]
    assert await found(f'"về {word}"') == ["Khác"]
    assert await found(f"nothing {word}") == []
    async with database.session() as session:
        mine = ExternalListing.source_id == source
        await session.execute(update(ExternalListing).where(mine).values(words="", edition="older"))
    assert await found(word) == []
    while await read_some_anew(database):
        pass
    assert len(await found(word)) == 5


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"document": "<", "type": "application/rdf+xml"}, "not_that_form"),
        (
            {
                "document": '<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><r>&b;</r>',
                "type": "application/rdf+xml",
            },
            "document_type",
        ),
        ({"document": '{"@context": "http://127.0.0.1:1/x", "@id": "urn:x"}', "type": "application/ld+json"},
         "remote_context"),
        ({"document": '{"@context": [[["file:///etc/hostname"]]], "@id": "urn:x"}', "type": "application/ld+json"},
         "remote_context"),
        ({"document": "[" * 100_000, "type": "application/ld+json"}, "not_that_form"),
        ({"document": "x", "type": "image/png"}, "not_that_form"),
        ({"bomb_bytes": 3_000_000}, "too_large"),
        ({"document": "", "robots": "User-agent: *\nDisallow: /"}, "robots"),
        ({"document": "", "robots_status": 500}, "robots"),
        ({"document": "", "robots_at": "rules/robots.txt", "robots": "User-agent: *\nDisallow: /"}, "robots"),
        ({"document": "", "robots_at": "/robots.txt"}, "robots"),
        ({"document": "", "robots_at": "http://169.254.169.254/robots.txt"}, "address_refused"),
        ({"redirect": "http://169.254.169.254/latest/meta-data"}, "address_refused"),
        ({"redirect": "http://localhost/"}, "address_refused"),
        ({"redirect": "http://127。0。0。2/".encode().decode("latin-1")}, "address_refused"),
        ({"redirect": "file:///etc/passwd"}, "address_refused"),
        ({"redirect": "http://[a"}, "address_refused"),
        ({"document": "", "robots_at": "http://[a"}, "address_refused"),
        ({"document": "x", "robots": f"User-agent: *\nCrawl-delay: {'9' * 5_000}"}, "robots"),
        ({"document": "x", "robots": "User-agent: *\nCrawl-delay: \u00b2"}, "not_that_form"),
        ({"redirect": "again"}, "too_many_redirects"),
        ({"document": "", "busy": 3}, "busy"),
    ],
)  # fmt: skip
async def test_a_run_that_cannot_go_on_says_why(
    elsewhere: Elsewhere, harvester: Harvester, state: dict[str, Any], code: str
) -> None:
    elsewhere.answer(**state)
    source = await harvester.add(f"{elsewhere.url}/{secrets.token_hex(3)}", "dcat")
    run = await harvester.look(source, harvest_max_bytes=1_000_000)
    assert (run.state, run.code) == ("failed", code)
    assert run.ended_at is not None


async def test_a_catalogue_without_end_is_left(elsewhere: Elsewhere, harvester: Harvester) -> None:
    elsewhere.answer(packages=[package(n) for n in range(100)], endless=True)
    source = await harvester.add(f"{elsewhere.url}/{secrets.token_hex(3)}/..", "ckan")
    run = await harvester.look(source)
    assert (run.state, run.code, run.new, len(elsewhere.paths())) == ("failed", "pages_in_a_circle", 100, 2)
    elsewhere.answer(packages=[{"metadata_modified": "", "id": f"{n}"} for n in range(300)])
    run = await harvester.look(source, harvest_max_listings=150)
    assert (run.code, run.refused) == ("too_many_listings", 200)
    elsewhere.answer(silent=True)
    run = await harvester.look(source, harvest_run_max_s=1)
    assert (run.state, run.code) == ("failed", "too_long"), "though the server has a minute for each page"


async def test_a_server_that_asks_for_time_gets_it(
    elsewhere: Elsewhere, harvester: Harvester, database: Database
) -> None:
    elsewhere.answer(document='{"dataset": []}', busy=2)
    source = await harvester.add(f"{elsewhere.url}/{secrets.token_hex(3)}", "data_json")
    run = await harvester.look(source)
    assert (run.state, run.requests) == ("done", 4)
    elsewhere.answer(document="", busy=1, retry_after=9_999)
    run = await harvester.look(source)
    assert (run.state, run.code, len(elsewhere.paths())) == ("failed", "busy", 1)
    async with database.session() as session:
        again = await session.get_one(HarvestSource, source)
    assert run.ended_at
    assert again.due_at
    assert round((again.due_at - run.ended_at).total_seconds()) == 9_999


async def test_a_source_is_added_once_and_goes_on_after_it_was_stopped(
    elsewhere: Elsewhere, harvester: Harvester
) -> None:
    url = f"{elsewhere.url}/{secrets.token_hex(3)}"
    source = await harvester.add(url, "data_json")
    with pytest.raises(SourceKnown):
        await harvester.add(url, "dcat")
    async with harvester.database.session() as session:
        await stop_source(session, source_id=source, by=harvester.by)
    assert await harvester.add(url, "dcat") == source


@pytest.mark.parametrize("kind", ["dcat", "ckan"])
async def test_an_exchange_harvests_another_and_says_the_same(
    market: Market, harvester: Harvester, kind: str
) -> None:
    """Ours, running as a process of its own, through both of its faces."""
    address = market.url if kind == "ckan" else f"{market.url}/catalog.rdf"
    source = await harvester.add(address, kind)
    run = await harvester.look(source)
    assert (run.state, run.code) == ("done", None)
    dataset = market.client(None).get("/api/v1/datasets/adult").json()
    (adult,) = [each for each in (await harvester.listings(source)).values() if each.title == dataset["title_vi"]]
    assert adult.description == dataset["description_vi"]
    assert adult.publisher == dataset["owner_name"]
    assert adult.url == f"{market.url}/datasets/adult"
    assert set(dataset["themes"]) == set(adult.themes)
    again = await harvester.look(source)
    assert (again.new, again.changed, again.vanished) == (0, 0, 0)
    assert (again.unchanged, again.code) in ((run.new, None), (0, "not_modified"))
