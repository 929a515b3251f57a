"""A citizen's whole walk without JavaScript: sign in, look, withdraw, see it bite, sign out; nothing remains."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import psycopg
import pytest

from marketplace.db import embedded
from tests.browser.outline import faults
from tests.market import PURPOSE, Market
from tests.marketplace.identity.signing import citizen
from tests.marketplace.subjects.conftest import ELSEWHERE, SLUG, Citizen, count, signed_in

WHO = 13
K = 5


def purpose_of(page: str, words: str) -> str:
    """The part of the page about one purpose."""
    return next(part for part in page.split("<h4>")[1:] if part.startswith(words))


def used(person: Citizen) -> str:
    """The part about the purpose, once queries are old enough to be told."""
    for _ in range(100):
        part = purpose_of(person.page(), "Nghiên cứu khoa học")
        if "truy vấn ·" in part:
            return part
        time.sleep(0.1)
    raise AssertionError(part)


def test_a_withdrawal_by_the_citizen_herself_bites_on_the_next_query(register: Market) -> None:
    before = count(register)
    with signed_in(register, WHO) as person:
        page = person.page()
        assert faults(page) == []
        assert f"/datasets/{SLUG}" in page
        assert citizen(WHO) not in page
        assert "1–9 truy vấn · Doanh nghiệp" in used(person)
        assert "Chưa được dùng" in purpose_of(page, "Dịch vụ công")
        said = person.say(register.datasets[SLUG], "withdrawn")
        assert said.status_code == 303
        told = person.page(said.headers["location"])
        assert faults(told) == []
        assert "bạn rút lại đồng ý" in told
        assert "Đã rút" in purpose_of(told, "Nghiên cứu khoa học")
    assert K <= before - count(register) < 2 * K
    with signed_in(register, WHO) as again:
        assert "Đã rút" in purpose_of(again.page(), "Nghiên cứu khoa học")
        assert again.say(register.datasets[SLUG], "given").status_code == 303
        assert "Đồng ý" in purpose_of(again.page(), "Nghiên cứu khoa học")


def uses(person: Citizen, slug: str) -> set[str]:
    """The bands of the last twelve months for research."""
    items = person.http.get("/api/v1/subject/datasets").json()["items"]
    (dataset,) = (each for each in items if each["slug"] == slug)
    return {use["queries"] for each in dataset["purposes"] if each["purpose"] == PURPOSE for use in each["use"]}


def test_what_ran_after_her_withdrawal_did_not_use_her_data(register: Market) -> None:
    register.agree(ELSEWHERE)
    with signed_in(register, 36) as gone, signed_in(register, 37) as still:
        assert gone.say(register.datasets[ELSEWHERE], "withdrawn").status_code == 303
        count(register, ELSEWHERE)
        for _ in range(100):
            if uses(still, ELSEWHERE) != {"0"}:
                break
            time.sleep(0.1)
        assert uses(still, ELSEWHERE) == {"0", "1-9"}
        assert uses(gone, ELSEWHERE) == {"0"}


def test_who_is_signed_out_is_signed_out_everywhere(register: Market) -> None:
    with signed_in(register, WHO) as person:
        program, kept = person.api(), dict(person.http.cookies)
        assert program.get("/api/v1/subject/datasets").ok
        assert person.send("/toi/sign-out").status_code == 303
        assert "sign-in" in person.page()
        assert program.get("/api/v1/subject/datasets").json()["code"] == "subject.session_ended"
        person.http.cookies.update(kept)
        assert "sign-in" in person.page()
        assert person.http.get("/api/v1/subject/receipts").json()["code"] == "subject.session_ended"


def test_a_form_without_her_own_token_changes_nothing(register: Market) -> None:
    fields = {"dataset": register.datasets[SLUG], "purpose": "research.academic", "event": "withdrawn"}
    with signed_in(register, 14) as person, signed_in(register, 15) as other:
        for token in ("", "x", other.csrf()):
            assert person.http.post("/toi/consents", data=fields | {"subject_csrf": token}).status_code == 403
        assert person.api().get("/api/v1/subject/receipts").json() == {"items": []}


def test_a_token_on_the_page_is_shown_once(register: Market) -> None:
    with signed_in(register, 16) as person:
        shown = person.send("/toi/tokens").text
        secret = re.search(r"sdls_[A-Za-z0-9_-]+", shown)
        assert secret
        assert secret[0] not in person.page()


@pytest.mark.parametrize(
    "path", ["/toi?receipt=01a21748-609f-7c9d-877f-4e71dac97fe2", "/toi/callback?code=x&state=y"]
)
def test_what_is_not_hers_is_a_page_that_says_so(register: Market, path: str) -> None:
    with signed_in(register, 16) as person:
        answer = person.http.get(path)
        assert answer.status_code in (403, 404)
        assert faults(answer.text) == []


def stored(market: Market) -> Iterator[tuple[str, bytes]]:
    """Everything that the market keeps: each table as text, each file of its home."""
    with psycopg.connect(embedded.url(market.home, "sandulieu")) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = connection.execute(f'select t::text from "{table}" t').fetchall()
            yield f"table {table}", "\n".join(row[0] for row in rows).encode()
    for file in market.home.rglob("*"):
        if file.is_file():
            yield str(file), file.read_bytes()


def test_nobody_can_find_out_afterwards_who_was_there(register: Market) -> None:
    with signed_in(register, 17) as person:
        cookies = [value.encode() for value in person.http.cookies.values()]
        program = person.api()
        assert person.say(register.datasets[SLUG], "withdrawn").status_code == 303
        body = {"dataset_id": register.datasets[SLUG], "purpose": "research.academic", "event": "given",
                "at": "2026-01-31T08:00:00+07:00"}  # fmt: skip
        assert program.post("/api/v1/consents/events", body, idempotency_key="k").status == 201
        wrong = body | {"subject": citizen(18)}
        assert program.post("/api/v1/consents/events", wrong).json()["code"] == "consent.other_subject"
        assert program.post("/api/v1/consents/events", body | {"subject": citizen(17)[:-1] + "é"}).status == 403
        assert program.get("/api/v1/subject/receipts").ok
        assert person.send("/toi/sign-out").status_code == 303
    everything = dict(stored(register))
    assert b"subject:sign_out" in everything["table event"]
    assert len(everything["table ended_subject_session"]) > 0
    secrets = [citizen(17).encode(), citizen(18).encode(), *cookies, (program.token or "").encode()]
    for secret in secrets:
        assert [name for name, content in everything.items() if secret in content] == []
    assert b"127.0.0.1" not in everything["table subject_request_count"]
