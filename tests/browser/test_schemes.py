"""A steward sees what else a file's columns could be shown as, and chooses one for the next try."""

from __future__ import annotations

import html
import re

from catalog.manifest import read_manifest
from catalog.storage import Store
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.publications.files import folder_of, take_in
from marketplace.publications.models import PublicationRow
from marketplace.publications.tasks import due
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.listings.conftest import Shop, shop

__all__ = ["shop"]


async def test_schemes_are_sought_in_the_sealed_file_and_one_is_sent_again(
    visit: Visit, sides: Sides, shop: Shop, database: Database, config: Config
) -> None:
    store, keys, at = Store(config.path("store")), Keys(config.path("keys")), utcnow()
    row = PublicationRow(
        id=new_id(), organisation_id=shop.owner.organisation.id, slug=shop.slug, manifest=shop.manifest(),
        source_name="a.csv", source_bytes=1, source_sha256="00" * 32, state="checking", overrides=[],
        sent_by=shop.owner.person.id, via="page", sent_at=at, changed_at=at, due_at=due("checking", at),
        state_class="internal", personal_class="basic",
    )  # fmt: skip
    take_in(store, keys, row.id, shop.file(400), None)
    async with database.session() as session:
        session.add(row)
    address = f"/publications/{row.id}/schemes"
    async with visit() as anonymous, visit(sides.startup) as startup, visit(sides.rival_owner) as rival:
        assert (await anonymous.send(address, {})).status_code in (303, 401)
        assert (await startup.send(address, {})).status_code == 403
        assert (await rival.send(address, {})).status_code == 404
    async with visit(shop.owner) as owner:
        assert f'action="{address}"' in (await owner.get(f"/publications/{row.id}")).text
        found = await owner.send(address, {})
        assert found.status_code == 200, found.text
        assert faults(found.text) == []
        assert 'class="frontier"><svg' in found.text
        assert "<style>" not in found.text, "the policy of the pages would drop it"
        offered = [html.unescape(each) for each in re.findall(r'name="manifest" value="([^"]*)"', found.text)]
        assert offered
        for text in offered:
            assert read_manifest(text).k == 5
        chosen = await owner.send("/publications/chosen", {"manifest": offered[-1]})
        assert faults(chosen.text) == []
        assert html.escape(offered[-1].strip(), quote=False)[:60] in html.unescape(chosen.text)
        left = {each.name for each in folder_of(store, row.id).iterdir()}
        assert left == {"source.sealed", "suite.sealed"}, "no person's record lies open"
        async with database.session() as session:
            (await session.get_one(PublicationRow, row.id)).state = "making"
        busy = await owner.send(address, {})
        assert (busy.status_code, faults(busy.text)) == (409, [])
        assert f'action="{address}"' not in busy.text
        async with database.session() as session:
            (await session.get_one(PublicationRow, row.id)).state = "cancelled"
