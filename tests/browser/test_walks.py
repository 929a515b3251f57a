"""Real walks through the real service: a person at a browser finds, asks, pays, downloads and proves."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.browser.conftest import LOGIN_TOKEN, TOKEN
from tests.browser.driver import WAIT_S, Browser, open_browser
from tests.faults.test_progress import Stream
from tests.faults.test_underneath import SLOW_SQL
from tests.homes import own_home
from tests.market import EXAMPLES, Market
from tests.prepared import Prepared

SQL = "select education, count(*) as persons from adult group by education order by persons desc"
PAGES = (
    "/", "/help", "/help/sql", "/help/api", "/datasets/adult", "/datasets/adult/apply", "/console", "/queries",
    "/applications", "/agreements", "/usage", "/spending", "/wallet", "/log", "/tokens", "/toi", "/no/such/page",
)  # fmt: skip

OWNERS = (
    "/preview",
    "/linkages",
    "/consents",
    "/datasets/adult/preview",
    "/datasets/adult/consents",
    "/datasets/adult/offers",
)


@pytest.fixture(scope="module")
def market(prepared: Prepared) -> Iterator[Market]:
    """The service as a process of its own, with one dataset and one agreement."""
    with own_home() as home:
        opened = prepared.open_market(home)
        opened.start(SANDULIEU_TENANT_EVENT_READERS=str(READERS))
        opened.credit(1_000_000)
        opened.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
        opened.agree("adult")
        yield opened
        opened.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    chromium.renew()
    return chromium


def sign_in(browser: Browser, market: Market, role: str) -> None:
    browser.go(f"{market.url}/login")
    again(browser, market, role)


def again(browser: Browser, market: Market, role: str = "startup") -> None:
    person = market.person(role)
    browser.type("#email", person.email)
    browser.type("#password", person.password)
    browser.click("main button[type=submit]")
    browser.find("form[action='/logout']")


@pytest.fixture
def desk(market: Market) -> Iterator[httpx.Client]:
    """The startup's analyst in a browser without JavaScript."""
    with httpx.Client(base_url=market.url, timeout=60, headers={"Accept": "text/html"}) as http:
        token = LOGIN_TOKEN.search(http.get("/login").text)
        person = market.person("startup")
        assert token
        fields = {"login_token": token[1], "email": person.email, "password": person.password, "next": "/"}
        assert http.post("/login", data=fields).status_code == 303
        yield http


def ask(
    desk: httpx.Client, market: Market, verb: str, sql: str, *, key: str = "", **headers: str
) -> httpx.Response:
    token = TOKEN.search(desk.get("/console").text)
    assert token
    fields = {
        "csrf_token": token[1],
        "agreement": market.agreements["adult"],
        "sql": sql,
        "key": key or str(uuid.uuid4()),
    }
    return desk.post(f"/console/{verb}", data=fields, headers=headers)


def test_a_live_search_without_diacritics_finds_the_census(market: Market, browser: Browser) -> None:
    browser.go(market.url)
    browser.type("#q", "xqxqxq wzwzwz")
    browser.wait_text("#found", "Không có bộ dữ liệu nào khớp")
    browser.type("#q", "DAN SO")
    browser.wait_text("#found", "Hoa Kỳ")
    assert "q=DAN" in browser.url
    assert browser.errors() == []


def test_a_startup_sees_the_price_runs_at_it_and_gets_the_answer(market: Market, browser: Browser) -> None:
    sign_in(browser, market, "startup")
    browser.go(f"{market.url}/console")
    browser.type("#sql", SQL)
    before = market.balance()["available_vnd"]
    browser.click("button[formaction='/console/quote']")
    price = re.search(r"Giá: ([\d.]+)", browser.wait_text("#answer", "Được phép"))
    assert price
    assert market.balance()["available_vnd"] == before
    browser.click("#answer form button")
    assert "High school" in browser.wait_text("#answer", "Kết quả")
    assert market.balance()["available_vnd"] == before - int(price[1].replace(".", ""))
    left = f"{market.balance()['available_vnd']:,}".replace(",", ".")
    assert left in browser.text("#means")
    assert browser.errors() == []


COUNT_SKIPPED = """
window.skipped = 0;
document.addEventListener("htmx:beforeRequest", (event) => { window.skipped += event.defaultPrevented; });
"""
LOOKS = "return performance.getEntriesByType('resource').filter((one) => one.name.endsWith('part=1')).length"
READERS = 2


def until(browser: Browser, script: str) -> None:
    """Wait until a script in the page returns something true."""
    end = time.monotonic() + WAIT_S
    while not browser.run(script):
        assert time.monotonic() < end, script
        time.sleep(0.05)


@contextmanager
def slow_query(market: Market) -> Iterator[str]:
    """The id of a query that runs until it is cancelled, at the end of the block at the latest."""
    client = market.client("startup")
    query_id = client.post("/api/v1/queries", market.ask(SLOW_SQL, wait_s=0)).json()["id"]
    try:
        yield query_id
    finally:
        client.delete(f"/api/v1/queries/{query_id}")


def test_a_page_hears_how_its_query_gets_on_and_looks_once_at_the_end(market: Market, browser: Browser) -> None:
    sign_in(browser, market, "startup")
    with slow_query(market) as query_id:
        browser.go(f"{market.url}/queries/{query_id}")
        until(browser, "return streams.get(document.querySelector('#query').dataset.events)?.heard")
        looks = browser.run(LOOKS)
        browser.run(COUNT_SKIPPED)
        until(browser, "return window.skipped")
        assert browser.run(LOOKS) == looks
    browser.wait_text("#answer", "Truy vấn đã bị hủy")
    assert browser.run(LOOKS) == looks + 1
    assert browser.run("return streams.size") == 0
    assert browser.errors() == []


def test_a_page_that_gets_no_stream_looks_again_and_again(market: Market, browser: Browser) -> None:
    sign_in(browser, market, "startup")
    with slow_query(market) as query_id:
        taken = [Stream(market, query_id) for _ in range(READERS)]
        assert [stream.status for stream in taken] == [200] * READERS
        browser.go(f"{market.url}/queries/{query_id}")
        until(browser, LOOKS.replace("length", "length > 1"))
        streams = "[...streams.values()].map((one) => [one.source.readyState === EventSource.CLOSED, one.heard])"
        assert browser.run(f"return {streams}") == [[True, 0]]
    browser.wait_text("#answer", "Truy vấn đã bị hủy")
    refused = [line for line in browser.errors() if "/events" not in line]
    assert refused == []
    for stream in taken:
        stream.close()


def test_from_a_refusal_to_why_to_what_is_allowed(market: Market, browser: Browser) -> None:
    limited = market.client("startup").post("/api/v1/queries", market.ask(SQL, max_vnd=0)).json()
    sign_in(browser, market, "startup")
    browser.go(f"{market.url}/queries/{limited['params']['query_id']}")
    browser.click("form[action$='/why'] button")
    browser.wait_text("h1", "Vì sao?")
    browser.run("document.querySelector('#purpose').value = 'product.rnd'")
    browser.click("main form button")
    said = browser.wait_text("#main", "Gần nhất được phép")
    assert "Hỏi với mục đích Nghiên cứu khoa học (research.academic)" in said
    browser.run("document.querySelector('details.gate summary').focus()")
    browser.run("document.activeElement.click()")
    assert browser.has("details.gate[open] .facts")
    assert browser.errors() == []


def test_what_was_typed_while_the_session_ended_stands_there_after_signing_in(
    market: Market, browser: Browser
) -> None:
    why = "Chúng tôi định phí bảo hiểm xe theo vùng và cần biết tần suất vi phạm."
    sign_in(browser, market, "startup")
    browser.go(f"{market.url}/datasets/adult/apply")
    browser.click("input[name=purpose][value='product.rnd']")
    browser.type("#justification", why)
    browser.forget()
    browser.click("main form button[type=submit]")
    browser.click("[data-signed-out]")
    again(browser, market)
    assert browser.url == f"{market.url}/datasets/adult/apply"
    typed = "return [document.querySelector('#justification').value, document.querySelector(':checked').value]"
    assert browser.run(typed) == [why, "product.rnd"]
    browser.go(f"{market.url}/console")
    browser.type("#sql", SQL)
    browser.forget()
    browser.click("[data-run]")
    browser.click("#answer [data-signed-out]")
    again(browser, market)
    assert browser.run("return document.querySelector('#sql').value") == SQL
    browser.go(f"{market.url}/datasets/adult/apply")
    assert browser.run(typed.replace(", document.querySelector(':checked').value", "")) == [""]


def test_the_keyboard_alone_runs_a_query(market: Market, browser: Browser) -> None:
    sign_in(browser, market, "startup")
    browser.go(f"{market.url}/console")
    browser.run("document.querySelector('.skip').focus()")
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    browser.type("#sql", SQL + "\ue009\ue007", clear=True)
    browser.wait_text("#answer", "Kết quả")
    key = browser.run("return document.querySelector('#key').value")
    browser.type("[data-run]", "\ue007", clear=False)
    until(browser, f"return document.querySelector('#key').value !== '{key}'")
    until(browser, "return document.activeElement.matches('[data-run]')")


def test_a_mistake_in_a_form_has_the_focus_and_leads_to_its_field(market: Market, browser: Browser) -> None:
    sign_in(browser, market, "startup")
    browser.go(f"{market.url}/datasets/adult/apply")
    browser.run("document.querySelector('main form').noValidate = true")
    browser.click("input[name=purpose][value='product.rnd']")
    browser.type("#justification", "Ngắn.")
    browser.click("main form button[type=submit]")
    browser.find(".problem a")
    assert browser.run("return document.activeElement.matches('.problem')")
    field = "return document.querySelector('#justification').getAttribute"
    assert browser.run(f"{field}('aria-invalid')") == "true"
    assert browser.run(f"{field}('aria-describedby')").split()[0] == "wrong-0"
    browser.type(".problem a", "\ue007", clear=False)
    assert browser.run("return document.activeElement.id") == "justification"
    assert all("400 (Bad Request)" in error for error in browser.errors())


def test_a_phone_never_scrolls_a_page_sideways(market: Market) -> None:
    with open_browser(width=390, height=844) as phone:
        sign_in(phone, market, "startup")
        widths = {}
        for path in (*PAGES, f"/agreements/{market.agreements['adult']}/why"):
            phone.go(market.url + path)
            widths[path] = phone.run("return document.documentElement.scrollWidth")
        phone.renew()
        sign_in(phone, market, "owner")
        for path in OWNERS:
            phone.go(market.url + path)
            assert phone.has("h1")
            widths[path] = phone.run("return document.documentElement.scrollWidth")
        assert {path: width for path, width in widths.items() if width > 390} == {}


def test_sql_that_is_not_understood_is_shown_where_it_is_wrong(market: Market, desk: httpx.Client) -> None:
    page = ask(desk, market, "quote", "select educaton\nfrom adult").text
    assert "<mark>educaton</mark>" in page
    assert 'data-from="7" data-length="8"' in page
    assert 'role="alert"' in page
    assert "<html" in page
    assert "select educaton\nfrom adult</textarea>" in page


def test_without_javascript_the_same_form_runs_and_downloads(market: Market, desk: httpx.Client) -> None:
    page = ask(desk, market, "run", SQL).text
    files = re.findall(r'href="(/queries/[^"]+/result/[a-z]+)"', page)
    assert [file.rsplit("/", 1)[1] for file in files] == ["csv", "json", "parquet", "arrow"]
    csv = desk.get(files[0])
    assert csv.headers["Content-Disposition"].endswith('.csv"')
    assert csv.text.splitlines()[0] == '"education","persons"'
    assert desk.get(files[1]).json()[0]["persons"] > 1000
    assert desk.get(files[2]).content[:4] == b"PAR1"
    assert [desk.get(f"{files[0].rsplit('/', 1)[0]}/{kind}").status_code for kind in ("exe", "html")] == [404, 404]


def test_pressing_run_twice_is_one_query(market: Market, desk: httpx.Client) -> None:
    key = str(uuid.uuid4())
    pages = [ask(desk, market, "run", SQL, key=key).text for _ in range(2)]
    ids = {re.findall(r"/queries/([0-9a-f-]{36})", page)[0] for page in pages}
    assert len(ids) == 1


def test_an_answer_for_htmx_is_a_part_with_the_next_key(market: Market, desk: httpx.Client) -> None:
    part = ask(desk, market, "quote", SQL, **{"HX-Request": "true"}).text
    assert "<html" not in part
    assert 'hx-swap-oob="true"' in part


def test_another_startup_cannot_ask_under_this_agreement_nor_see_its_queries(
    market: Market, desk: httpx.Client
) -> None:
    query = re.search(r"/queries/([0-9a-f-]{36})", ask(desk, market, "run", SQL).text)
    assert query
    with httpx.Client(base_url=market.url, headers={"Accept": "text/html"}) as rival:
        token, person = LOGIN_TOKEN.search(rival.get("/login").text), market.person("rival")
        assert token
        fields = {"login_token": token[1], "email": person.email, "password": person.password}
        assert rival.post("/login", data=fields).status_code == 303
        for path in (f"/queries/{query[1]}", f"/queries/{query[1]}/result/csv", f"/queries/{query[1]}/receipt"):
            assert rival.get(path).status_code == 404
        csrf = TOKEN.search(rival.get("/").text)
        assert csrf
        form = {"csrf_token": csrf[1], "agreement": market.agreements["adult"], "sql": SQL}
        assert rival.post("/console/run", data=form).status_code == 404


def test_an_ended_agreement_leaves_the_console_and_its_answers_closed(market: Market, desk: httpx.Client) -> None:
    agreement = market.agree("adult")
    query = re.search(r"/queries/([0-9a-f-]{36})", ask(desk, market, "run", SQL).text)
    ended = market.client("owner").post(f"/api/v1/agreements/{agreement}/end", {"reason": "Kiểm thử chấm dứt."})
    assert ended.ok
    assert query
    denied = ask(desk, market, "run", SQL)
    assert 'role="alert"' in denied.text
    assert agreement not in desk.get("/console").text
    assert 'role="alert"' in desk.get(f"/queries/{query[1]}").text
