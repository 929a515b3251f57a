"""What opens the pages: a session and nothing else; and what everything that comes out of them carries."""

from __future__ import annotations

import re

from marketplace.db.engine import Database
from marketplace.texts import Language
from marketplace.web.headers import SECURITY
from marketplace.web.templating import environment
from marketplace.web.view import View
from tests.browser.conftest import Visit
from tests.browser.outline import faults
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
            assert (answer.status_code, answer.json()["code"]) == (401, "auth.token_on_page"), path
            assert answer.headers["content-type"] == "application/problem+json"
            assert "/api/v1" in answer.json()["next"]
        assert (await visitor.get("/", **bearer)).status_code == 200
        made = await visitor.http.post("/tokens", data={"name": "x", "scopes": "query"}, headers=bearer)
        assert (made.status_code, made.json()["code"]) == (401, "auth.token_on_page")
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


async def test_what_is_like_a_dataset_is_a_part_of_its_page_and_a_page_of_its_own(
    visit: Visit, sides: Sides
) -> None:
    path = f"/datasets/{sides.dataset_id}"
    async with visit() as visitor:
        asked = re.search(r'hx-get="([^"]+/related)"', (await visitor.get(path)).text)
        assert asked
        assert f'href="{asked[1]}"' in (await visitor.get(path)).text
        page, part = await visitor.get(asked[1]), await visitor.get(asked[1], **{"HX-Request": "true"})
        assert faults(page.text) == []
        assert part.text.strip() in page.text
        assert (await visitor.get("/datasets/no-such/related")).status_code == 404


HOSTILE = "\u202eexe.txt</script><img src=x onerror=alert(1)>\u2066=cmd|'!A1"


def test_a_name_that_turns_the_order_of_what_is_read_is_shown_with_its_marks_and_escaped() -> None:
    template = environment().from_string(
        "<b>{{ name }}</b><i title='{{ name }}'></i>{{ (name | e) ~ '!' }}{{ names | tojson }}"
    )
    shown = template.render(name=HOSTILE, names={"name": HOSTILE})
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    assert "[U+202E]exe.txt&lt;/script&gt;" in shown
    assert "<img" not in shown
    assert "</script>" not in shown


def test_text_of_any_language_is_shown_as_it_is() -> None:
    template = environment().from_string("{{ name }}")
    for name in ("Sở Y tế Đắk Lắk", "مرحبا", "ภาษาไทย", "🦄"):
        assert template.render(name=name) == name


def test_a_law_of_the_configuration_is_named_as_people_know_it() -> None:
    template = environment().from_string("{{ 'personal-data-law-91-2025' | law }}; {{ 'none-such' | law }}")
    shown: dict[Language, str] = {
        "vi": "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15; none-such",
        "en": "Personal Data Protection Law 91/2025/QH15; none-such",
    }
    for language, said in shown.items():
        view = View(caller=None, language=language, path="/", csrf="", partial=False)
        assert template.render(view=view) == said
