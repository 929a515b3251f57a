"""The catalogue for machines over HTTP: who sees what, in which form, page by page."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.feeds import api, ckan_api, reads
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.offers.models import Offer
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.feeds.telling import HOSTILE
from tests.marketplace.listed import list_dataset
from tests.marketplace.parties import Make, Party

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


class Shelf(Struct, frozen=True):
    """An owner with three datasets, one of them hostile, and one that is not listed."""

    owner: Party
    slugs: tuple[str, str, str]
    hidden: str


@pytest.fixture(scope="module")
async def shelf(database: Database) -> Shelf:
    make, token = Make(), secrets.token_hex(4)
    owner = await make.party(database, kind="owner")
    names = [f"kho_{token}_{n}" for n in range(4)]
    async with database.session() as session:
        for n, slug in enumerate(names):
            title = f"Kho {token} {HOSTILE if n == 2 else n}".replace("\x00", "")
            dataset = await list_dataset(session, owner.organisation, owner.person, slug=slug, title=title)
            dataset.themes = [f"chủ đề {token}", "giao thông"] if n == 0 else ["0a"]
            if n == 3:
                dataset.current_version_id = None
    return Shelf(owner, (names[0], names[1], names[2]), names[3])


@pytest.fixture
async def client(client_for: ClientFor) -> AsyncIterator[Client]:
    async with client_for(*api.handlers, *ckan_api.handlers) as opened:
        yield opened


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "PAGE_DATASETS", 2)


async def _walk(client: Client, address: str, following: str) -> list[str]:
    """Every page from the first, by what each says is next."""
    pages = []
    while address:
        answer = await client.get(address)
        assert answer.status_code == 200, answer.text
        pages.append(answer.text)
        found = re.search(following, answer.text)
        address = found[1].replace("http://testserver.local", "") if found else ""
    return pages


@pytest.mark.usefixtures("small_pages")
async def test_pages_of_the_catalogue_hold_each_listed_dataset_once(client: Client, shelf: Shelf) -> None:
    pages = await _walk(client, "/catalog.ttl", r"hydra:next <([^>]+)>")
    told = [slug for page in pages for slug in re.findall(r"/datasets/(\w+)> a dcat:Dataset ", page)]
    assert len(told) == len(set(told))
    assert set(shelf.slugs) <= set(told)
    assert shelf.hidden not in "".join(pages)
    assert len(pages) >= 2
    assert (await client.get("/catalog.ttl?cursor=none-of-ours")).status_code == 400


@pytest.mark.usefixtures("small_pages")
async def test_the_feed_tells_new_datasets_and_new_versions(
    client: Client, shelf: Shelf, database: Database
) -> None:
    async with database.session() as session:
        dataset = await found_dataset(session, shelf.slugs[1])
        before = await session.get_one(DatasetVersion, dataset.current_version_id)
        second = DatasetVersion(
            id=secrets.token_hex(32), dataset_id=dataset.id, number=2, body=before.body, sample=[],
            published_by=before.published_by, created_at=utcnow() + timedelta(seconds=1),
        )  # fmt: skip
        session.add(second)
        await session.flush()
        dataset.current_version_id = second.id
    pages = await _walk(client, "/catalog.atom", r'<link rel="next" type="[^"]+" href="([^"]+)"')
    entries = [entry for page in pages for entry in etree.fromstring(page.encode()).iter(f"{ATOM}entry")]
    titles = [
        entry.findtext(f"{ATOM}title") for entry in entries if shelf.slugs[1] in etree.tostring(entry).decode()
    ]
    assert [title.endswith("(phiên bản 2)") for title in titles] == [True, False]
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)
    updated = [entry.findtext(f"{ATOM}updated") for entry in entries]
    assert updated == sorted(updated, reverse=True)
    assert shelf.hidden not in "".join(pages)


async def found_dataset(session: AsyncSession, slug: str) -> Dataset:
    found = await session.scalar(select(Dataset).where(Dataset.slug == slug))
    assert isinstance(found, Dataset)
    return found


async def test_sitemaps_hold_every_page(client: Client, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.metadata.sitemap.MOST_ADDRESSES", 2)
    index = etree.fromstring((await client.get("/sitemap.xml")).content)
    files = [each.text.replace("http://testserver.local", "") for each in index.iter(f"{MAP}loc")]
    pages = [
        loc.text for file in files for loc in etree.fromstring((await client.get(file)).content).iter(f"{MAP}loc")
    ]
    ours = [f"http://testserver.local/datasets/{slug}" for slug in shelf.slugs]
    assert sorted(page for page in pages if page in ours) == sorted(ours)
    assert not any(shelf.hidden in page for page in pages)
    assert "Sitemap: http://testserver.local/sitemap.xml" in (await client.get("/robots.txt")).text


async def test_the_form_is_the_one_asked_for_and_not_sent_twice(client: Client, shelf: Shelf) -> None:
    address = f"/datasets/{shelf.slugs[0]}/metadata"
    turtle = await client.get(address, headers={"Accept": "text/turtle, application/ld+json;q=0.5"})
    assert (turtle.headers["content-type"], turtle.headers["vary"]) == ("text/turtle; charset=utf-8", "Accept")
    assert turtle.headers["content-location"].endswith("/metadata/dcat.ttl")
    json = await client.get(address, headers={"Accept": "application/*"})
    assert json.json()["@graph"][0]["@type"] == ["dcat:Dataset"]
    none = await client.get(address, headers={"Accept": "image/png"})
    assert (none.status_code, none.json()["code"]) == (406, "feeds.not_acceptable")
    tag = turtle.headers["etag"]
    for sent in (tag, f'"x", W/{tag}', "*"):
        again = await client.get(address, headers={"Accept": "text/turtle", "If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await client.get(f"{address}/dcat.rdf", headers={"If-None-Match": tag})
    assert other.status_code == 200
    plain = await client.get("/catalog", headers={"Accept": "application/json"})
    assert (plain.status_code, plain.headers["content-type"]) == (200, "application/ld+json")
    page = await client.get("/catalog", headers={"Accept": "text/html"}, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/")


async def test_nothing_is_told_of_what_is_not_listed_or_is_no_form(client: Client, shelf: Shelf) -> None:
    for path in (f"{shelf.hidden}/metadata", f"{shelf.hidden}/metadata/dcat.ttl", "nothing/metadata/sample.csv"):
        assert (await client.get(f"/datasets/{path}")).status_code == 404
    assert (await client.get(f"/datasets/{shelf.slugs[0]}/metadata/other.json")).status_code == 404
    shown = await client.post("/api/3/action/package_show", json={"id": shelf.hidden})
    assert (shown.status_code, shown.json()["error"]["__type"]) == (404, "Not Found Error")


async def test_offers_to_one_startup_alone_are_told_to_nobody(
    client: Client, shelf: Shelf, database: Database, make: Make
) -> None:
    startup = await make.party(database)
    async with database.session() as session:
        dataset = await found_dataset(session, shelf.slugs[0])
        terms = {"per_query_micro": 777_131_000_000}
        session.add(
            Offer(dataset_id=dataset.id, name="rieng", number=1, terms=terms, startup_id=startup.organisation.id)
        )
    contract = (await client.get(f"/datasets/{shelf.slugs[0]}/metadata/contract.yaml")).text
    assert "priceAmount: 1000\n" in contract
    assert "777131" not in contract


async def test_hostile_words_stay_words_in_every_form(client: Client, shelf: Shelf) -> None:
    address = f"/datasets/{shelf.slugs[2]}/metadata"
    assert b"</script" not in (await client.get(f"{address}/schema.jsonld")).content
    for form in ("schema.jsonld", "croissant.json", "csvw.json", "dcat.jsonld"):
        assert "urn:x" in (await client.get(f"{address}/{form}")).text
        (await client.get(f"{address}/{form}")).json()
    etree.fromstring((await client.get(f"{address}/dcat.rdf")).content)
    etree.fromstring((await client.get("/catalog.atom")).content)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"fq": "organization:{owner}"}, [0, 1, 2]),
        ({"fq": "owner_org:{owner_id} -name:{second}"}, [0, 2]),
        ({"q": "title:{first}", "fq": "+state:active"}, [0]),
        ({"q": '"{first}"', "fq_list": ["organization:{owner}", "license_id:CC-BY-4.0"]}, [0]),
        ({"fq": 'tags:"chủ đề {token}"'}, [0]),
        ({"q": "*:*", "fq": "organization:{owner}", "sort": "name desc"}, [2, 1, 0]),
        ({"q": "", "fq": "organization:{owner}", "start": "1", "rows": "1", "sort": "name asc"}, [1]),
        ({"q": "khongcogi {owner}"}, []),
    ],
)
async def test_packages_are_found_by_words_and_fields(
    client: Client, shelf: Shelf, asked: dict[str, Any], found: list[int]
) -> None:
    names = {
        "owner": shelf.owner.organisation.slug,
        "owner_id": shelf.owner.organisation.id,
        "first": shelf.slugs[0],
        "second": shelf.slugs[1],
        "token": shelf.slugs[0].split("_")[1],
    }
    sent = {
        key: [each.format(**names) for each in value] if isinstance(value, list) else value.format(**names)
        for key, value in asked.items()
    }
    answer = (await client.post("/api/action/package_search", json=sent)).json()
    assert answer["success"], answer
    slugs = [package["name"] for package in answer["result"]["results"]]
    wanted = [shelf.slugs[n] for n in found]
    assert (slugs if "sort" in asked else sorted(slugs)) == wanted
    assert answer["result"]["count"] == (3 if "rows" in asked else len(wanted))


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ({"q": "a OR b"}, 409, "Search Query Error"),
        ({"fq": "nothing:x"}, 409, "Search Query Error"),
        ({"q": "title:abc*"}, 409, "Search Query Error"),
        ({"q": 'name:"'}, 409, "Search Query Error"),
        ({"q": f'"{"a " * 3_000}"'}, 409, "Search Query Error"),
        ({"fq_list": ["title:a"] * 30}, 409, "Search Query Error"),
        ({"rows": "-1"}, 409, "Validation Error"),
        ({"start": True}, 409, "Validation Error"),
        ({"sort": "price asc"}, 409, "Validation Error"),
        ({"facet.field": '["secret"]'}, 409, "Validation Error"),
        ({"facet.field": "["}, 409, "Validation Error"),
    ],
)
async def test_what_is_not_understood_is_refused_as_by_ckan(
    client: Client, asked: dict[str, Any], status: int, kind: str
) -> None:
    answer = await client.post("/api/3/action/package_search", json=asked)
    told = answer.json()
    assert (answer.status_code, told["success"], told["error"]["__type"]) == (status, False, kind)
    assert told["help"]


async def test_facets_count_what_was_found_and_owners_without_listings_are_not_told(
    client: Client, shelf: Shelf, database: Database, make: Make
) -> None:
    idle = await make.party(database, kind="owner")
    slug = shelf.owner.organisation.slug
    query = f'/api/3/action/package_search?fq=organization:{slug}&rows=0&facet.field=["tags","license_id"]'
    result = (await client.get(query)).json()["result"]
    assert (result["results"], result["facets"]["license_id"]) == ([], {"CC-BY-4.0": 3})
    assert result["facets"]["tags"]["giao thông"] == 1
    show = f"/api/3/action/organization_show?id={slug}&include_datasets=true"
    organisation = (await client.get(show)).json()["result"]
    assert (organisation["package_count"], len(organisation["packages"])) == (3, 3)
    hidden = await client.get(f"/api/3/action/organization_show?id={idle.organisation.slug}")
    assert hidden.status_code == 404
    names = (await client.get("/api/3/action/organization_list?limit=1000")).json()["result"]
    assert slug in names
    assert idle.organisation.slug not in names
    status = (await client.get("/api/3/action/status_show")).json()
    led = status["help"].partition("/api/")[2]
    assert (await client.get(f"/api/{led}")).json()["result"].startswith("What this is")
    assert (await client.get("/api/3/action/help_show", params={"name": "x"})).status_code == 404
    broken = await client.request("POST", "/api/3/action/status_show", content=b"{")
    assert broken.status_code == 400
