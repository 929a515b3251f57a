"""What a reader finds without looking for it: notices that nobody read, all that an agreement promises."""

from __future__ import annotations

import re

from sqlalchemy import update

from marketplace.agreements.models import Agreement, Application
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.finding.models import Notice
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.parties import Make

COUNT = re.compile(
    r'<a href="([^"]*)"[^>]*>([^<]*) <span class="count">(\d+) <span class="visually-hidden">([^<]*)<'
)
PROMISED = {"place": "VN-HN", "ethics_reference": "12/HDDD", "returns_results": True}


async def test_the_menu_counts_what_is_unread_where_it_is_read(
    visit: Visit, database: Database, make: Make
) -> None:
    party = await make.party(database, kind="startup")
    async with visit(party) as visitor:
        assert not COUNT.search((await visitor.get("/")).text)
        async with database.session() as session:
            for reference in ("one", "other"):
                session.add(
                    Notice(id=new_id(), person_id=party.person.id, code="month_stuck", reference=reference)
                )
        seen = {path: COUNT.findall((await visitor.get(path)).text) for path in ("/", "/wallet", "/account")}
        assert seen["/"] == [("/watches", "Theo dõi", "2", "thông báo chưa đọc")]
        assert seen["/wallet"] == seen["/account"] == [("/", "Dữ liệu", "2", "thông báo chưa đọc")]
        assert faults((await visitor.get("/wallet")).text) == []
        assert (await visitor.send("/watches/read", {})).status_code == 303
        assert not COUNT.search((await visitor.get("/wallet")).text)


async def test_both_sides_see_all_that_an_agreement_promises(
    visit: Visit, database: Database, sides: Sides
) -> None:
    application_id = await sides.application(database)
    agreement_id = await sides.agreement(database)
    async with database.session() as session:
        for model, id in ((Application, application_id), (Agreement, agreement_id)):
            await session.execute(update(model).where(model.id == id).values(promises=PROMISED))
    for side in (sides.owner, sides.startup):
        async with visit(side) as visitor:
            for path in (f"/applications/{application_id}", f"/agreements/{agreement_id}"):
                page = (await visitor.get(path)).text
                for words in (
                    "<dd>VN-HN</dd>",
                    "<dd>12/HDDD</dd>",
                    "<dd>Cam kết gửi lại kết quả cho chủ dữ liệu</dd>",
                ):
                    assert words in page, path
