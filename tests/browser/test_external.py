"""Pages of other catalogues and of a dataset for machines: labelled, escaped, the right link in each head."""

from __future__ import annotations

import json
import re
import secrets

from sqlalchemy import select

from catalog.metadata.reading.external import External
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.harvest.models import HarvestRun, HarvestSource
from marketplace.harvest.writing import write_listings
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.browser.test_pages import slug_of
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.parties import Make


async def test_the_operator_adds_a_catalogue_and_everybody_reads_what_it_lists(
    visit: Visit, database: Database, make: Make
) -> None:
    operator, word = await make.party(database, kind="operator"), secrets.token_hex(5)
    fields = {"url": f"https://{word}.example/data.json", "kind": "data_json", "name": f"Nguồn {word}"}
    async with visit(operator) as visitor:
        await visitor.get("/harvest")
        wrong = await visitor.send("/harvest", {**fields, "url": "http://10.0.0.1/", "every_hours": "24"})
        assert (wrong.status_code, "SANDULIEU_HARVEST_ALLOWED_HOSTS" in wrong.text) == (422, True)
        sent = await visitor.send("/harvest", {**fields, "every_hours": "24"})
        assert sent.status_code == 303, sent.text
        assert fields["name"] in (await visitor.get("/harvest")).text
    async with database.session() as session:
        source = await session.scalar(select(HarvestSource.id).where(HarvestSource.url == fields["url"]))
        assert source
        run = HarvestRun(source_id=source, refusals=[])
        session.add(run)
        await session.flush()
        said = External(id="1", title=f"Bảng {word} <b>", url="https://a.example/x")
        await write_listings(session, [said], source_id=source, run_id=run.id, at=utcnow())
    async with visit() as visitor:
        page = (await visitor.get(f"/external?q={word}")).text
        found = (await visitor.get(f"/?q={word}")).text
        narrowed = (await visitor.get(f"/?q={word}&price=free")).text
    assert faults(found) == []
    section = found.split('id="external"')[1]
    for shown in (f"Bên ngoài: Nguồn {word}", 'href="https://a.example/x" rel="external', f"/external?q={word}"):
        assert shown in section
    assert 'id="external"' not in narrowed, "facets are of own datasets"
    assert f"Bảng {word} &lt;b&gt;" in page
    assert f"Bên ngoài: Nguồn {word}" in page


async def test_a_datasets_page_leads_machines_to_its_forms(visit: Visit, sides: Sides, database: Database) -> None:
    slug = await slug_of(database, sides)
    async with visit() as visitor:
        page = (await visitor.get(f"/datasets/{slug}")).text
        led = await visitor.get(f"/datasets/{slug}", Accept="text/turtle")
        any_form = await visitor.get(f"/datasets/{slug}", Accept="*/*")
    told = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert told
    assert json.loads(told[1])["@type"] == "Dataset"
    assert f'<link rel="alternate" type="text/turtle" href="/datasets/{slug}/metadata/dcat.ttl">' in page
    assert (led.status_code, led.headers["location"]) == (303, f"/datasets/{slug}/metadata/dcat.ttl")
    assert any_form.status_code == 200
