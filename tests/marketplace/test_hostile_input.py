"""Whatever is sent, the answer is 4xx problem+json: nothing that a client can write is a fault of ours."""

from __future__ import annotations

import base64
import json
import socket
import urllib.request
import uuid
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from marketplace.web.links import own_path
from tests.market import Market
from tests.visits import visiting

NUL = "a\0b"
TERMS = {"purpose": "research.academic", "justification": "x" * 30, "duration_days": 3}
PERSON = {"email": "a@b.example", "name": NUL, "roles": ["analyst"]}
POSTS: list[tuple[str, str, dict[str, Any]]] = [
    ("startup", "/api/v1/queries", {"purpose": NUL, "sql": "select 1 as n"}),
    ("startup", "/api/v1/queries/quote", {"purpose": NUL, "sql": "select 1 as n"}),
    ("startup", "/api/v1/tokens", {"name": NUL}),
    ("startup", "/api/v1/datasets/adult/applications", TERMS | {"justification": "x" * 30 + "\0"}),
    ("operator", "/api/v1/organisations", {"kind": "startup", "name": NUL, "slug": "nul-organisation"}),
    ("operator", "/api/v1/organisations/{startup}/people", PERSON),
    ("operator", "/api/v1/wallet/credits", {"amount_vnd": 1000, "reference": NUL, "organisation_id": "{startup}"}),
]
NUMBERS = ("/api/v1/audit/proof?leaf={}", "/api/v1/audit/consistency?first={}", "/api/v1/invoices?months={}")


def _cursor(*key: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@pytest.mark.parametrize(("role", "path", "body"), POSTS)
def test_a_nul_in_any_text_is_the_senders_mistake(
    market: Market, role: str, path: str, body: dict[str, Any]
) -> None:
    startup = str(market.person("startup").organisation_id)
    if path.startswith("/api/v1/queries"):
        body = body | {"agreement_ids": [market.agreements["adult"]]}
    sent = {name: startup if value == "{startup}" else value for name, value in body.items()}
    answer = market.client(role).post(path.format(startup=startup), sent)
    assert (answer.status, answer.json()["code"]) == (400, "request.invalid")
    assert answer.json()["errors"][0]["code"] == "request.unstorable"


@pytest.mark.parametrize("path", ["/api/v1/queries", "/api/v1/tokens"])
@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"null", b""])
def test_json_that_no_decoder_likes_is_refused_in_words(market: Market, path: str, raw: bytes) -> None:
    assert _raw(market, path, raw) == (400, "application/problem+json")


@pytest.mark.parametrize("length", ["Content-Length: 10000000000", "Transfer-Encoding: chunked"])
def test_a_body_larger_than_any_request_is_refused_before_it_is_read(market: Market, length: str) -> None:
    head = f"POST /api/v1/queries HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", market.port), timeout=10) as link:
        link.sendall(head.encode())
        for _ in range(3 if "chunked" in length else 0):
            link.sendall(chunk)
        assert b" 413 " in link.recv(200)


@pytest.mark.parametrize(
    "path", ["/api/v1/datasets/%00", "/api/v1/datasets/a%00b", "/api/v1/audit/events?name=%00"]
)
def test_a_nul_in_an_address_is_the_senders_mistake(market: Market, path: str) -> None:
    answer = market.client("regulator").get(path)
    assert (answer.status, answer.json()["code"]) == (400, "request.invalid")


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**40])
def test_numbers_beyond_64_bits_are_refused(market: Market, number: int) -> None:
    client = market.client("startup")
    for path in NUMBERS:
        answer = client.get(path.format(number))
        assert 400 <= answer.status < 500, (path, answer.body)
    assert client.get(f"/api/v1/datasets?cursor={_cursor(number, str(uuid.uuid4()))}").status < 500, "a score"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
def test_instants_at_the_ends_of_the_calendar_break_nothing(market: Market, at: str) -> None:
    query = urlencode({"from": at, "to": at, "since": at, "until": at, "cursor": _cursor(at, str(uuid.uuid4()))})
    for path in ("/api/v1/usage", "/api/v1/audit/events"):
        for role in ("startup", "regulator"):
            assert market.client(role).get(f"{path}?{query}").status < 500


@pytest.mark.parametrize(
    "path",
    [
        "usage?group=day&from=0001-01-01&to=0001-01-01",
        "usage?group=dataset&from=9999-12-31&to=9999-12-31",
        "wallet/statement?from=9999-12-31&to=9999-12-31",
    ],
)
def test_days_at_the_ends_of_the_calendar_break_nothing(market: Market, path: str) -> None:
    assert market.client("startup").get(f"/api/v1/{path}").status < 500


def test_days_and_months_at_the_ends_of_the_calendar_break_no_page(market: Market) -> None:
    paths = [
        "/log?until=9999-12-31",
        "/log?since=0001-01-01",
        *(f"{page}?month={month}" for page in ("/usage", "/wallet/statement") for month in ("9999-12", "0001-01")),
    ]
    with visiting(market, "startup") as startup:
        answers = {path: startup.get(path).status_code for path in paths}
    assert {path: status for path, status in answers.items() if not (status == 200 or 400 <= status < 500)} == {}


@pytest.mark.parametrize(
    "given", ["//[", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/e", "["]
)
def test_no_address_leads_to_another_site_after_signing_in(market: Market, given: str) -> None:
    assert own_path(given) == "/"
    assert market.client(None).get("/login?" + urlencode({"next": given})).status == 200


@pytest.mark.parametrize("name", ["%00", "a" * 5000])
def test_a_name_that_no_file_can_have_is_not_found(market: Market, name: str) -> None:
    assert market.client(None).get(f"/static/{name}").status == 404


@pytest.mark.parametrize(
    "sql",
    [
        "select date '294247-01-10' as d",
        "select cast('infinity' as date) as d",
        "select timestamp '9999-12-31 23:59:59' + interval 1 year as d",
        "select date '0001-01-01' - 400 as d",
    ],
)
def test_days_beyond_the_calendar_are_released_as_text_not_lost_after_they_were_paid(
    market: Market, sql: str
) -> None:
    client = market.client("startup")
    query = client.post("/api/v1/queries", market.ask(sql)).json()
    assert query["state"] == "ready"
    answer = client.get(f"/api/v1/queries/{query['id']}/result")
    assert answer.ok, answer.body
    assert isinstance(answer.json()[0]["d"], str)


def _raw(market: Market, path: str, body: bytes) -> tuple[int, str]:
    headers = {
        "Authorization": f"Bearer {market.parties.tokens['startup']}",
        "Content-Type": "application/json",
    }
    asked = urllib.request.Request(market.url + path, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"]
    except HTTPError as refused:
        return refused.code, refused.headers["Content-Type"]
