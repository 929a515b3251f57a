"""Answers at rest, over HTTP: whoever may not fetch one gets no byte of it, in no form, nor by a range of it."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from marketplace.db import embedded
from marketplace.db.roles import OWNER
from marketplace.queries.forms import FORMS
from tests.market import Market

WHOLE: dict[str, str] = {}
RANGES = (WHOLE, {"Range": "bytes=0-0"}, {"Range": "bytes=-1"}, {"Range": "bytes=5-"})


@pytest.fixture
def answered(market: Market) -> str:
    """A query whose answer lies there."""
    query = market.client("startup").post("/api/v1/queries", market.ask()).json()
    assert query["state"] == "ready", query
    return str(query["id"])


def fetch(market: Market, query: str, token: str | None, media_type: str, asked: dict[str, str]) -> httpx.Response:
    headers = {"Accept": media_type, **asked} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.get(f"{market.url}/api/v1/queries/{query}/result", headers=headers, timeout=60)


def refused(market: Market, query: str, token: str | None, status: int, code: str) -> None:
    """In every form and range, with no header that tells of the answer."""
    for media_type in FORMS:
        for asked in RANGES:
            answer = fetch(market, query, token, media_type, asked)
            assert (answer.status_code, answer.json()["code"]) == (status, code), (media_type, asked, answer.text)
            assert not {"etag", "x-result-sha256", "content-range", "x-query-id"} & set(answer.headers)


def token_of(market: Market, role: str, *scopes: str) -> str:
    made = market.client(role).post("/api/v1/tokens", {"name": "narrow", "scopes": list(scopes)})
    assert made.ok, made.body
    return str(made.json()["token"])


def test_nobody_but_who_may_fetches_a_byte(market: Market, answered: str) -> None:
    refused(market, answered, None, 401, "auth.not_signed_in")
    refused(market, answered, market.parties.tokens["rival"], 404, "not_found")
    for role in ("owner", "regulator", "operator"):
        answer = fetch(market, answered, market.parties.tokens[role], "text/csv", {"Range": "bytes=0-0"})
        assert answer.status_code in (403, 404), answer.text
    narrow = token_of(market, "startup", "read", "money")
    assert fetch(market, answered, narrow, "text/csv", {"Range": "bytes=0-0"}).status_code == 403
    whole = {
        form: fetch(market, answered, market.parties.tokens["startup"], form, WHOLE).content for form in FORMS
    }
    for form, body in whole.items():
        part = fetch(market, answered, market.parties.tokens["startup"], form, {"Range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, body[5:10])


@pytest.mark.parametrize(
    ("over", "back", "cause"),
    [
        (
            "update agreement set ended_at = now() where id = %(agreement)s",
            "update agreement set ended_at = null where id = %(agreement)s",
            "agreement_over",
        ),
        ("update query_result set expires_at = now() where query_id = %(query)s", "select 1", "expired"),
    ],
)
def test_what_is_over_gives_no_byte_though_a_client_has_the_etag(
    market: Market, answered: str, over: str, back: str, cause: str
) -> None:
    token, whose = market.parties.tokens["startup"], {"agreement": market.agreements["adult"], "query": answered}
    etag = fetch(market, answered, token, "text/csv", WHOLE).headers["etag"]
    with psycopg.connect(embedded.url(market.home, OWNER), autocommit=True) as connection:
        connection.execute(over, whose)
        try:
            refused(market, answered, token, 410, "query.result_gone")
            held = {"Range": "bytes=0-0", "If-Range": etag, "If-None-Match": etag}
            answer = fetch(market, answered, token, "text/csv", held)
            assert (answer.status_code, answer.json()["params"]["cause"]) == (410, cause)
        finally:
            connection.execute(back, whose)
