"""What opens the pages: a session and nothing else; and what everything that comes out of them carries."""

from __future__ import annotations

from marketplace.db.engine import Database
from marketplace.web.headers import SECURITY
from tests.browser.conftest import Visit
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.parties import Make


async def test_a_token_opens_no_page_for_no_page_asks_for_its_scopes(
    visit: Visit, sides: Sides, database: Database, make: Make
) -> None:
    async with database.session() as session:
        token = await make.token(session, sides.startup.person, scopes=["consent"])
    bearer = {"Authorization": f"Bearer {token}"}
    async with visit() as visitor:
        for path in ("/console", "/queries", "/wallet", "/tokens"):
            answer = await visitor.get(path, **bearer)
            assert (answer.status_code, answer.headers["location"][:7]) == (303, "/login?"), path
        assert (await visitor.get("/", **bearer)).status_code == 200
        made = await visitor.http.post("/tokens", data={"name": "x", "scopes": "query"}, headers=bearer)
        assert made.status_code == 401
    async with visit(sides.startup) as visitor:
        assert (await visitor.get("/console", **bearer)).status_code == 200


async def test_a_token_is_no_way_around_a_session_s_form_token(visit: Visit, sides: Sides) -> None:
    async with visit(sides.startup) as visitor:
        answer = await visitor.send("/watches/read", {}, csrf="forged", Authorization="Bearer sdl_x_y")
        assert answer.status_code == 403


async def test_where_a_form_leads_carries_the_headers_of_a_page(visit: Visit, sides: Sides) -> None:
    async with visit(sides.startup) as visitor:
        answer = await visitor.send("/watches/read", {})
        assert answer.status_code == 303
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
