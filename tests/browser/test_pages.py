"""Pages by who looks: the anonymous, the wrong organisation, the right one; headers, both languages, forms."""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import update

from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.listings.models import DatasetVersion
from marketplace.listings.reads import dataset_id_of, read_dataset
from marketplace.web import pages
from marketplace.web.headers import SECURITY
from tests.browser.conftest import Visit, Visitor
from tests.browser.outline import faults
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.parties import Make

JUSTIFICATION = "Thống kê gộp theo trình độ học vấn, không tái định danh ai."
MEMBERS = (
    "/applications", "/agreements", "/console", "/queries", "/tables", "/preview", "/publications", "/linkages",
    "/consents", "/usage", "/spending", "/wallet", "/log", "/alerts", "/incidents", "/tokens", "/account",
    "/credits", "/payouts", "/months", "/harvest", "/watches", "/demands", "/people",
)  # fmt: skip
MAY = {
    "startup": {*MEMBERS}
    - {
        "/preview",
        "/publications",
        "/linkages",
        "/consents",
        "/alerts",
        "/incidents",
        "/credits",
        "/payouts",
        "/months",
        "/harvest",
        "/people",
    },
    "owner": {*MEMBERS}
    - {"/console", "/queries", "/tables", "/spending", "/alerts", "/credits", "/months", "/harvest", "/people"},
    "regulator": {
        "/watches",
        "/demands",
        "/consents",
        "/usage",
        "/wallet",
        "/log",
        "/alerts",
        "/incidents",
        "/credits",
        "/payouts",
        "/months",
        "/tokens",
        "/account",
    },
    "operator": {
        "/watches",
        "/demands",
        "/publications",
        "/people",
        "/harvest",
        "/usage",
        "/wallet",
        "/log",
        "/alerts",
        "/incidents",
        "/credits",
        "/payouts",
        "/months",
        "/tokens",
        "/account",
    },
}


async def slug_of(database: Database, sides: Sides) -> str:
    async with database.session() as session:
        found = await read_dataset(session, sides.dataset_id)
    assert found
    return found.slug


async def test_anybody_reads_the_catalogue_and_a_dataset(visit: Visit, sides: Sides, database: Database) -> None:
    slug = await slug_of(database, sides)
    async with visit() as visitor:
        assert f"/datasets/{slug}" in (await visitor.get(f"/?q={slug}")).text
        page = (await visitor.get(f"/datasets/{slug}")).text
        for shown in ("k", "Nghiên cứu khoa học", "1.000\u00a0₫", "Dữ liệu bịa ra", "nghề", "6 rõ"):
            assert shown in page


async def test_a_dataset_of_cohorts_says_what_may_be_asked_beside_its_columns(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    more = {"tells_level": True, "cross_products": [["so_lan", "diem"]]}
    for told in (False, True):
        async with visit() as visitor:
            page = (await visitor.get(f"/datasets/{slug}")).text
        assert ("cohort_level" in page, "so_lan × diem" in page) == (told, told)
        async with database.session() as session:
            rows = update(DatasetVersion).where(DatasetVersion.dataset_id == sides.dataset_id)
            await session.execute(rows.values(body=DatasetVersion.body.concat(more)))


async def test_who_waits_in_a_version_stands_on_the_owners_page_only(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    waiting = [{"reason": "left", "persons": 1234, "cohorts": 77, "since_ms": 1_790_000_000_000}]
    async with database.session() as session:
        rows = update(DatasetVersion).where(DatasetVersion.dataset_id == sides.dataset_id)
        await session.execute(rows.values(waiting=waiting))
    for party, told in ((sides.owner, True), (sides.startup, False), (None, False)):
        async with visit(party) as visitor:
            page = (await visitor.get(f"/datasets/{slug}")).text
            assert ("1.234" in page, "trong nhóm của họ có người đã rời đi" in page) == (told, told)


async def test_a_version_that_lost_much_says_on_its_page_and_in_the_catalogue_that_it_is_due_anew(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    for worn_at in (None, utcnow()):
        async with database.session() as session:
            rows = update(DatasetVersion).where(DatasetVersion.dataset_id == sides.dataset_id)
            await session.execute(rows.values(worn_at=worn_at))
        async with visit(sides.owner) as visitor:
            page, listed = (await visitor.get(f"/datasets/{slug}")).text, (await visitor.get(f"/?q={slug}")).text
        told = worn_at is not None
        assert ("chủ dữ liệu nên phát hành phiên bản mới" in page, "Nên có phiên bản mới" in listed) == (
            told,
            told,
        )


async def test_a_live_search_gets_the_list_alone_and_a_form_the_page(visit: Visit, sides: Sides) -> None:
    async with visit() as visitor:
        part = (await visitor.get("/?q=quan+dao+zz", **{"HX-Request": "true"})).text
        assert "<html" not in part
        assert "Không có bộ dữ liệu nào khớp" in part
        assert "<html" in (await visitor.get("/?q=quan+dao+zz")).text


async def test_the_form_for_an_estimate_gets_the_estimate_alone(visit: Visit, sides: Sides) -> None:
    path = f"/datasets/{sides.dataset_id}?queries=7"
    async with visit() as visitor:
        page = (await visitor.get(path)).text
        part = (await visitor.get(path, **{"HX-Request": "true"})).text
    begin = page.index('<section id="estimate"')
    assert part.strip() == page[begin : page.index("</section>", begin) + len("</section>")]
    assert 'value="7"' in part


@pytest.mark.parametrize("path", MEMBERS)
async def test_the_anonymous_are_led_to_sign_in(visit: Visit, path: str) -> None:
    async with visit() as visitor:
        answer = await visitor.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize("kind", list(MAY))
async def test_each_kind_sees_its_own_pages_and_no_others(
    visit: Visit, sides: Sides, database: Database, kind: str
) -> None:
    party = getattr(sides, kind, None) or await Make().party(database, kind=kind)
    async with visit(party) as visitor:
        seen = {path for path in MEMBERS if (await visitor.get(path)).status_code == 200}
        assert seen == MAY[kind]
        menu = set(re.findall(r'<li><a href="(/[a-z]*)"', (await visitor.get("/help")).text))
        assert menu <= seen | {"/", "/help"}


@pytest.mark.parametrize("path", ["/", "/login", "/help", "/no/such/page", "/wallet"])
async def test_every_page_carries_the_security_headers(visit: Visit, path: str) -> None:
    async with visit() as visitor:
        headers = (await visitor.get(path)).headers
        assert {name: headers.get(name) for name in SECURITY} == SECURITY
        assert "unsafe-inline" not in headers["Content-Security-Policy"]


async def test_an_address_that_is_not_there_is_a_page_that_says_what_to_do(visit: Visit) -> None:
    async with visit() as visitor:
        answer = await visitor.get("/no/such/page")
        assert answer.status_code == 404
        assert "Không tìm thấy" in answer.text
        answer = await visitor.get(f"/datasets/{uuid.uuid4()}")
        assert answer.status_code == 404


async def test_who_is_signed_in_keeps_the_menu_at_an_address_that_is_not_there(visit: Visit, sides: Sides) -> None:
    async with visit(sides.startup) as visitor:
        for path in ("/no/such/page", "/datasets/x/y/z"):
            answer = await visitor.get(path)
            assert answer.status_code == 404
            assert "Không tìm thấy" in answer.text
            assert sides.startup.person.name in answer.text
            assert 'href="/console"' in answer.text
        asked = await visitor.http.get("/no/such/page", headers={"Accept": "application/json"})
        assert asked.json()["code"] == "not_found"
        visitor.http.cookies.set("sandulieu_session", "nobody's")
        assert 'href="/login?next=/no/such/page"' in (await visitor.get("/no/such/page")).text


async def test_english_is_one_press_away_and_stays(visit: Visit, sides: Sides) -> None:
    async with visit() as visitor:
        answer = await visitor.http.post(
            "/language", data={"language": "en", "next": "/help"}, follow_redirects=False
        )
        assert answer.headers["location"] == "/help"
        page = (await visitor.get("/")).text
        assert '<html lang="en">' in page
        assert "Data catalogue" in page


async def test_every_page_is_well_formed_for_assistive_technology(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug, application = await slug_of(database, sides), await sides.application(database)
    agreement = await sides.agreement(database)
    paths = [
        "/",
        "/help",
        "/help/sql",
        "/help/api",
        f"/datasets/{slug}",
        *MEMBERS,
        f"/applications/{application}",
        f"/agreements/{agreement}",
    ]
    startups = [f"/datasets/{slug}/apply", "/no/such"]
    owners = [f"/datasets/{slug}/preview", f"/datasets/{slug}/consents"]
    for name, party, more in (("startup", sides.startup, startups), ("owner", sides.owner, owners)):
        async with visit(party) as visitor:
            for path in paths + more:
                answer = await visitor.get(path)
                barred = path in MEMBERS and path not in MAY[name]
                assert answer.status_code == (403 if barred else 404 if path == "/no/such" else 200), path
                assert faults(answer.text) == [], path
    async with visit() as visitor:
        assert faults((await visitor.get("/login")).text) == []


def test_every_page_that_changes_something_asks_for_the_view_that_checks_the_token() -> None:
    open_to_all = {"choose_language"}
    for module in pages.MODULES:
        for handler in module.handlers:
            if handler.http_methods & {"POST"}:
                asked = handler.parsed_fn_signature.parameters
                assert "view" in asked or handler.handler_name in open_to_all, handler.handler_name


async def apply_for(visitor: Visitor, slug: str, **changed: object) -> str:
    fields = {
        "purpose": "research.academic", "justification": JUSTIFICATION, "duration_days": "30",
        "people": "", "key": str(uuid.uuid4()),
    }  # fmt: skip
    page = (await visitor.get(f"/datasets/{slug}/apply")).text
    person = re.search(r'name="people" value="([^"]+)"', page)
    assert person
    answer = await visitor.send(f"/datasets/{slug}/apply", fields | {"people": person[1]} | changed)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).removesuffix("?done=applied")


async def test_an_application_is_made_answered_and_its_agreement_ended(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    async with visit(sides.startup) as startup, visit(sides.owner) as owner, visit(sides.rival) as rival:
        address = await apply_for(startup, slug)
        assert (await rival.get(address)).status_code == 404
        refused = await owner.send(f"{address}/decision", {"decision": "reject", "reason": ""})
        assert refused.status_code == 400
        assert 'value="reject" required checked' in refused.text
        accepted = await owner.send(f"{address}/decision", {"decision": "accept", "reason": "Phù hợp"})
        assert accepted.headers["location"] == f"{address}?done=accepted"
        agreement = re.search(r'href="(/agreements/[^"]+)"', (await startup.get(address)).text)
        assert agreement
        assert (await rival.send(f"{agreement[1]}/end", {"reason": "không phải của tôi"})).status_code == 404
        ended = await startup.send(f"{agreement[1]}/end", {"reason": "Không cần nữa"})
        assert ended.status_code == 303
        assert "Đã chấm dứt" in (await owner.get(agreement[1])).text


async def test_mistakes_in_an_application_come_back_with_what_was_typed(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    fields = {"purpose": "research.academic", "justification": "ngắn", "duration_days": "9999"}
    async with visit(sides.startup) as startup:
        answer = await startup.send(f"/datasets/{slug}/apply", fields | {"people": str(sides.startup.person.id)})
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text
        assert ">ngắn</textarea>" in answer.text
        assert answer.text.count("<li>") >= 2


async def test_what_of_an_application_cannot_be_read_comes_back_as_it_was_typed(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    fields = {"purpose": "public.service", "justification": JUSTIFICATION, "duration_days": "một tháng"}
    async with visit(sides.startup) as startup:
        records = "tinh: " + "x" * 101
        answer = await startup.send(f"/datasets/{slug}/apply", fields | {"records": records, "people": "ai"})
        assert answer.status_code == 400
        assert re.findall(r'data-field="([^"]+)"', answer.text) == ["duration_days", "people", "records"]
        for typed in (f">{JUSTIFICATION}</textarea>", 'value="một tháng"', f">{records}</textarea>"):
            assert typed in answer.text
        assert 'value="public.service" required checked' in answer.text
        answer = await startup.send(f"/datasets/{slug}/apply", {"justification": "ngắn", "duration_days": "30"})
        assert re.findall(r'data-field="([^"]+)"', answer.text) == ["purpose", "justification"]


async def test_a_returned_application_is_changed_and_sent_again(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    async with visit(sides.startup) as startup, visit(sides.owner) as owner:
        address = await apply_for(startup, slug)
        await owner.send(f"{address}/decision", {"decision": "return", "reason": "Nói rõ hơn"})
        page = (await startup.get(address)).text
        assert "Nói rõ hơn" in page
        person = re.search(r'name="people" value="([^"]+)"', page)
        assert person
        again = {
            "purpose": "public.service",
            "justification": JUSTIFICATION,
            "duration_days": "10",
            "people": person[1],
        }
        assert (await startup.send(f"{address}/resubmit", again)).status_code == 303
        assert (await startup.send(f"{address}/withdraw", {})).status_code == 303
        assert "Đã rút" in (await owner.get(address)).text


async def test_a_press_of_send_twice_is_one_application(visit: Visit, sides: Sides, database: Database) -> None:
    slug = await slug_of(database, sides)
    async with visit(sides.startup) as startup:
        key = str(uuid.uuid4())
        assert await apply_for(startup, slug, key=key) == await apply_for(startup, slug, key=key)


async def test_a_token_is_shown_once_and_revoked(visit: Visit, sides: Sides) -> None:
    async with visit(sides.startup) as visitor:
        made = (await visitor.send("/tokens", {"name": "máy tính toán", "scopes": ["read", "query"]})).text
        secret = re.search(r"sdl_[0-9a-z]{12}_[A-Za-z0-9_-]{43}", made)
        assert secret
        page = (await visitor.get("/tokens")).text
        assert "máy tính toán" in page
        assert secret[0] not in page
        revoke = re.search(r'action="(/tokens/[^"]+/revoke)"', page)
        assert revoke
        assert (await visitor.send(revoke[1], {})).status_code == 303
        assert "Đã thu hồi" in (await visitor.get("/tokens")).text


async def test_what_people_write_cannot_become_markup(visit: Visit, sides: Sides, database: Database) -> None:
    slug = await slug_of(database, sides)
    async with visit(sides.startup) as startup, visit(sides.owner) as owner:
        text = f"<script>alert(1)</script> {JUSTIFICATION}"
        address = await apply_for(startup, slug, justification=text, purpose="public.service")
        page = (await owner.get(address)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


async def test_a_reading_of_the_log_is_in_the_log(visit: Visit, sides: Sides, database: Database) -> None:
    async with visit(await Make().party(database, kind="regulator")) as regulator:
        await regulator.get("/log")
        page = (await regulator.get("/log?name=log:read")).text
        event = re.search(r'href="(/log/events/[^"]+)"', page)
        assert event
        assert "Xem nhật ký" in (await regulator.get(event[1])).text


async def test_an_event_of_others_is_not_there(visit: Visit, sides: Sides, database: Database) -> None:
    async with visit(await Make().party(database, kind="regulator")) as regulator, visit(sides.rival) as rival:
        await regulator.get("/log")
        page = (await regulator.get("/log?name=log:read")).text
        event = re.search(r'href="(/log/events/[^"]+)"', page)
        assert event
        assert (await rival.get(event[1])).status_code == 404


async def test_a_slug_that_is_not_listed_is_no_form(visit: Visit, sides: Sides, database: Database) -> None:
    async with database.session() as session:
        assert await dataset_id_of(session, "khong_co") is None
    async with visit(sides.startup) as startup:
        assert (await startup.get("/datasets/khong_co/apply")).status_code == 404
