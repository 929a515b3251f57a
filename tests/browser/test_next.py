"""The next step that a dataset's page names, by how far its reader has come."""

from __future__ import annotations

from sqlalchemy import text

from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.web.words import say
from tests.browser.conftest import Visit, Visitor
from tests.browser.outline import faults
from tests.marketplace.agreements.conftest import open_sides


async def test_a_reader_is_told_the_next_step(visit: Visit, database: Database) -> None:
    sides = await open_sides(database)  # nobody else's, for what is agreed on changes here
    async with database.session() as session:
        slug = await session.scalar(text("select slug from dataset where id = :id"), {"id": sides.dataset_id})
    apply = f'href="/datasets/{slug}/apply"'

    async def told(visitor: Visitor) -> str:
        page = (await visitor.get(f"/datasets/{slug}")).text
        assert faults(page) == []
        return page.partition("<h1")[2].partition('<div class="columns">')[0]

    async def change(words: str, **values: object) -> None:
        async with database.session() as session:
            await session.execute(text(words), {"startup": sides.startup.organisation.id, **values})

    async with visit() as anonymous, visit(sides.owner) as owner, visit(sides.startup) as startup:
        assert apply in await told(anonymous)
        assert say("next.title", "vi") not in await told(owner)
        assert apply in await told(startup)
        sent = await sides.application(database)
        step = await told(startup)
        assert f'href="/applications/{sent}"' in step
        assert say("next.submitted_go", "vi") in step
        await change("update application set state = 'returned' where startup_id = :startup")
        assert say("next.returned_go", "vi") in await told(startup)
        await change("update application set state = 'withdrawn' where startup_id = :startup")
        agreement = await sides.agreement(database)
        console = f'href="/console?agreement={agreement}"'
        assert console in await told(startup)
        async with visit(sides.rival) as rival:
            assert console not in await told(rival)
        at = utcnow()
        for words, said in (
            ("unpaid_since = :at", say("next.unpaid", "vi")),
            ("unpaid_since = null, people = '{}'", say("next.not_named", "vi", names="")),
        ):
            await change(f"update agreement set {words} where startup_id = :startup", at=at)
            step = await told(startup)
            assert said in step
            assert console not in step
            assert f'href="/agreements/{agreement}"' in step
        await change("update agreement set ended_at = :at where startup_id = :startup", at=at)
        assert apply in await told(startup)
        await change("update organisation set suspended_at = :at where id = :startup", at=at)
        step = await told(startup)
        assert say("next.suspended", "vi") in step
        assert apply not in step
