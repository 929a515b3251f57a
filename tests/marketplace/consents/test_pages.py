"""The owner's register as pages: files in and out, months, clocks; the regulator sees the clocks of all."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from litestar import Litestar

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.listings.models import Dataset
from tests.browser.conftest import page_app, visiting
from tests.browser.outline import faults
from tests.marketplace.consents.conftest import PEOPLE, Listed
from tests.marketplace.consents.test_imports import as_csv, said
from tests.marketplace.parties import Make

WRONG = [said(90, PEOPLE[0], purpose="khong.co"), said(91, PEOPLE[0], event="maybe")]


@pytest.fixture
def app(database: Database, config: Config, listed: Listed) -> Litestar:
    return page_app(database, config, store=listed.store, keys=listed.keys)


@pytest.fixture
async def address(database: Database, listed: Listed) -> str:
    async with database.session() as session:
        dataset = await session.get_one(Dataset, listed.dataset_id)
        dataset.created_at = utcnow() - timedelta(days=70)
        return f"/datasets/{dataset.slug}/consents"


def file(events: list[dict[str, object]]) -> dict[str, tuple[str, bytes]]:
    return {"file": ("events.csv", as_csv(events))}


async def test_the_register_is_its_owners_alone(
    app: Litestar, address: str, listed: Listed, database: Database, make: Make
) -> None:
    rival, startup = await make.party(database, kind="owner"), await make.party(database)
    for party, status in ((None, 303), (rival, 404), (startup, 403), (listed.owner, 200)):
        async with visiting(app, database, party) as visitor:
            for path in (address, f"{address}/csv"):
                assert (await visitor.get(path)).status_code == status, path
            if party is not None:
                sent = await visitor.send(address, {}, files=file([said(0, PEOPLE[0])]))
                assert sent.status_code == status
    async with visiting(app, database, listed.owner) as owner:
        assert (await owner.get(f"{address}/exe")).status_code == 404
        forged = await owner.send(address, {}, csrf="x", files=file([said(1, PEOPLE[0])]))
        assert forged.status_code == 403


async def test_a_file_is_taken_and_every_wrong_line_told(
    app: Litestar, address: str, listed: Listed, database: Database
) -> None:
    events = [said(0, PEOPLE[0]), said(1, PEOPLE[1], event="withdrawn"), *WRONG]
    async with visiting(app, database, listed.owner) as owner:
        page = (await owner.send(address, {"on_error": "keep"}, files=file(events))).text
        assert faults(page) == []
        assert "Đã nhận 2 sự kiện" in page
        row = r'<tr><td class="number"[^>]*>(\d+)</td><td class="wide"[^>]*><strong>(.*?)</strong>'
        told = re.findall(row, page)
        assert [line for line, _ in told] == ["4", "5"]
        assert PEOPLE[0] not in page, "a person's key is in no report"
        again = (await owner.send(address, {"on_error": "keep"}, files=file(events))).text
        assert "Đã nhận 0 sự kiện" in again
        read = list(csv.DictReader(io.StringIO((await owner.get(f"{address}/csv")).text)))
        assert {row["event_id"] for row in read} == {"E0", "E1"}
        assert {row["subject"] for row in read} == {listed.pseudonym(p).hex() for p in PEOPLE[:2]}


async def test_the_whole_file_is_refused_where_that_is_wished(
    app: Litestar, address: str, listed: Listed, database: Database
) -> None:
    async with visiting(app, database, listed.owner) as owner:
        sent = await owner.send(address, {"on_error": "refuse"}, files=file([said(0, PEOPLE[0]), *WRONG]))
        assert sent.status_code == 422
        assert ("Dòng 3:" in sent.text, "Dòng 4:" in sent.text) == (True, True)
        assert 'value="refuse" checked' in sent.text
        assert (await owner.get(f"{address}/ndjson")).text == ""
        nothing = await owner.send(address, {"on_error": "keep"}, files={"file": ("", b"")})
        assert (nothing.status_code, "Chưa chọn tệp" in nothing.text) == (400, True)


async def test_months_that_ended_stand_in_bands_and_the_one_that_runs_does_not(
    app: Litestar, address: str, listed: Listed, database: Database
) -> None:
    async with visiting(app, database, listed.owner) as owner:
        await owner.send(address, {"on_error": "keep"}, files=file([said(n, p) for n, p in enumerate(PEOPLE)]))
        page = (await owner.get(address)).text
    months = set(re.findall(r'<th scope="row"[^>]*>(\d\d/\d{4})</th>', page))
    assert months
    assert f"{utcnow() + timedelta(hours=7):%m/%Y}" not in months
    assert set(re.findall(r'<td class="number"[^>]*>(.*?)</td>', page)) == {"0–9"}


async def test_what_came_late_is_told_to_its_owner_and_to_the_regulator(
    app: Litestar, address: str, listed: Listed, database: Database, make: Make
) -> None:
    late = said(0, PEOPLE[0], event="withdrawn", at=(utcnow() - timedelta(days=40)).isoformat())
    slug = address.split("/")[2]
    regulator, rival = await make.party(database, kind="regulator"), await make.party(database, kind="owner")
    async with visiting(app, database, listed.owner) as owner:
        assert "Không có việc nào muộn" in (await owner.get("/consents")).text
        await owner.send(address, {"on_error": "keep"}, files=file([late]))
        page = (await owner.get("/consents")).text
        assert faults(page) == []
        rows = re.findall(rf'<th scope="row" class="code"[^>]*>{slug}</th>', page)
        assert len(rows) == 2, "acknowledged late, stopped late"
        assert f'href="{address}"' in page
    async with visiting(app, database, regulator) as visitor:
        assert slug in (await visitor.get("/consents")).text
    async with visiting(app, database, rival) as visitor:
        assert slug not in (await visitor.get("/consents")).text
    async with visiting(app, database, await make.party(database)) as startup:
        assert (await startup.get("/consents")).status_code == 403
