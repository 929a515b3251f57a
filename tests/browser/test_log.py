"""The log's page: the form asks what it says, says it again, and tells a wrong field."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from marketplace.audit.actions import record
from marketplace.db.engine import Database
from tests.browser.conftest import Visit
from tests.marketplace.audit.bodies import settled
from tests.marketplace.parties import Make


async def told(database: Database, *parties: UUID, price_vnd: int | None = None, **body: object) -> UUID:
    async with database.session() as session:
        return await record(session, "query:settle", parties=parties, price_vnd=price_vnd, body=settled(**body))


def shown(page: str) -> set[str]:
    return set(re.findall(r'href="/log/events/([0-9a-f-]{36})"', page))


async def test_the_form_finds_by_words_decision_and_amount_and_keeps_what_was_asked(
    visit: Visit, database: Database, make: Make
) -> None:
    startup, regulator = await make.party(database), await make.party(database, kind="regulator")
    party = startup.organisation.id
    denied = {"allow": False, "reasons": [{"code": "agreement.expired"}]}
    found = await told(database, party, price_vnd=2_000, decision=denied, columns=["Đính chính hộ nghèo"])
    await told(database, party, price_vnd=9_000, decision=denied, columns=["Đính chính hộ nghèo"])
    await told(database, party, price_vnd=2_000, decision={"allow": True, "reasons": []}, columns=["Việc khác"])
    asked = "q=ho+ngh&decision=deny&code=agreement.expired&min_vnd=1.000&max_vnd=5.000"
    async with visit(regulator) as visitor:
        page = (await visitor.get(f"/log?organisation={party}&{asked}")).text
    assert shown(page) == {str(found)}
    assert 'value="ho ngh"' in page
    assert "<details open>" in page


@pytest.mark.parametrize(
    "field", ["min_vnd=x", "decision=perhaps", "since=2026-13-01", "organisation=x", "cursor=x"]
)
async def test_a_wrong_field_is_told(visit: Visit, database: Database, make: Make, field: str) -> None:
    async with visit(await make.party(database, kind="regulator")) as visitor:
        assert (await visitor.get(f"/log?{field}")).status_code == 400


async def test_the_operator_is_offered_no_field_about_bodies(visit: Visit, database: Database, make: Make) -> None:
    async with visit(await make.party(database, kind="operator")) as visitor:
        page = (await visitor.get("/log")).text
        assert 'name="q"' not in page
        assert 'name="decision"' not in page
        assert (await visitor.get("/log?q=dan")).status_code == 403


async def test_a_search_is_kept_from_the_page_downloaded_and_removed(
    visit: Visit, database: Database, make: Make
) -> None:
    startup, regulator = await make.party(database), await make.party(database, kind="regulator")
    fields = {"organisation": str(startup.organisation.id), "since": "2026-01-01", "until": "2026-12-31"}
    async with visit(regulator) as visitor:
        sent = await visitor.send("/log/searches", {**fields, "kept_name": "Hộ nghèo", "shared": "yes"})
        assert sent.status_code == 303
        page = (await visitor.get(sent.headers["location"])).text
        assert all(f'value="{value}"' in page for value in fields.values())
        removal = re.search(r'action="(/log/searches/[0-9a-f-]{36}/remove)"', page)
        assert "Hộ nghèo" in page
        assert removal
        assert (await visitor.send(removal[1], {})).status_code == 303
        assert "Hộ nghèo" not in (await visitor.get("/log")).text
        assert (await visitor.send("/log/export", {**fields, "form": "exe"})).status_code == 400
        assert (await visitor.send("/log/export", {**fields, "form": "csv"}, csrf="x")).status_code == 403
