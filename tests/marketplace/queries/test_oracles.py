"""What an analyst could learn beside the answer: from prices, refusals, errors, order, other tenants' things."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from marketplace.cli.client import Client
from tests.market import SMALL_SQL, Market

FILTERS = (
    "", "where education = 'Doctorate'", "where education = 'no such'", "where false",
    "where education in (select education from adult where sex = 'Male' group by education)",
)  # fmt: skip


def quoted(market: Market, sql: str, role: str = "startup", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = market.client(role).post("/api/v1/queries/quote", market.ask(sql, **more)).json()
    return found


def nameless(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem without what names this very request."""
    return {name: value for name, value in problem.items() if name not in ("trace_id", "instance", "params")}


@pytest.fixture
def rivals_agreement(market: Market) -> str:
    """The rival's own agreement on the same dataset."""
    return market.agree("adult", role="rival")


def test_the_price_tells_nothing_of_the_rows(market: Market) -> None:
    prices = {quoted(market, f"select count(education) as n from adult {f}")["quote_vnd"] for f in FILTERS[:4]}
    assert len(prices) == 1
    assert (
        quoted(market, f"select count(education), count(sex) from adult {FILTERS[4]}")["quote_vnd"] > prices.pop()
    )


def test_a_column_that_was_left_out_is_refused_as_one_that_never_was(market: Market) -> None:
    hidden, never = (quoted(market, f'select "{name}" from adult') for name in ("fnlwgt", "fnlwgx"))
    assert hidden["status"] == 422
    assert str(nameless(hidden)).replace("fnlwgt", "*") == str(nameless(never)).replace("fnlwgx", "*")


def test_a_table_of_another_owner_is_refused_as_one_that_never_was(market: Market) -> None:
    answers = [quoted(market, f"select * from {name}") for name in ("query_result", "no_such_table")]
    assert {a["code"] for a in answers} == {answers[0]["code"]}


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(education as bigint) as n from adult",
        "select cast(education || sex as date) as d from adult",
        "select 9223372036854775807 + length(education) as n from adult",
        "select cast('x' || education as boolean) as n from adult",
        "select cast(education || '1' as decimal(3, 1)) as n from adult",
        "select cast(length(education) * 1e300 as bigint) as n from adult",
        "select regexp_extract(education, education || '(') as n from adult",
        "select regexp_replace(education, '[' || sex, 'x') as n from adult",
        "select string_split_regex(education, '(' || education) as n from adult",
        "select json_extract(education, '$.a') as n from adult",
        "select strptime(education, '%Y') as n from adult",
        "select date_trunc('month', cast(education as timestamp)) as n from adult",
        "select make_date(length(education) * 1000000, 1, 1) as n from adult",
        "select make_timestamp(length(education) * 100000, 1, 1, 1, 1, 1) as n from adult",
        "select date '2020-01-01' + interval (length(education) * 100000000) year as n from adult",
        "select chr(length(education) * 100000000) as n from adult",
        "select factorial(length(education) * 100) as n from adult",
        "select url_decode('%' || education) as n from adult",
        "select lpad(education, length(education) * 100000000, 'x') as n from adult",
        "select length(education) % 0 + 1 // 0 as n, (select education from adult) as m from adult",
    ],
)
def test_an_error_of_the_engine_carries_no_cell_and_is_not_free(market: Market, sql: str) -> None:
    answer = market.client("startup").post("/api/v1/queries", market.ask(sql))
    query = answer.json()
    assert query["failure"]["code"] == "sandbox.engine_refused"
    assert query["charged_vnd"] == query["quote_vnd"] > 0
    for cell in (b"Bachelors", b"Doctorate", b"HS-grad", b"Male", b"Conversion", b"parquet", b"/fd/"):
        assert cell not in answer.body.replace(sql.encode(), b"")


def test_the_same_question_has_the_same_answer_to_the_byte(market: Market) -> None:
    client = market.client("startup")
    ids = [client.post("/api/v1/queries", market.ask()).json()["id"] for _ in range(3)]
    assert len({client.get(f"/api/v1/queries/{i}/result").body for i in ids}) == 1


def _answer(client: Client, path: str, body: object | None) -> tuple[int, dict[str, Any]]:
    answer = client.get(path) if body is None else client.post(path, body)
    return answer.status, answer.json()


def test_another_tenants_query_is_answered_as_none(market: Market) -> None:
    query = market.client("startup").post("/api/v1/queries", market.ask()).json()
    for end in ("", "/result", "/receipt"):
        ours, none = (
            _answer(market.client("rival"), f"/api/v1/queries/{i}{end}", None) for i in (query["id"], uuid.uuid4())
        )
        assert ours[0] == none[0] == 404
        assert nameless(ours[1]) == nameless(none[1])


def test_another_tenants_agreement_is_answered_as_none(market: Market) -> None:
    asked = [market.ask() | {"agreement_ids": [a]} for a in (market.agreements["adult"], str(uuid.uuid4()))]
    for path in ("/api/v1/queries/quote", "/api/v1/queries"):
        ours, none = (_answer(market.client("rival"), path, body) for body in asked)
        assert ours[0] == none[0]
        assert ours[1]["code"] == none[1]["code"]


def test_a_quote_serves_neither_another_agreement_nor_another_tenant(
    market: Market, rivals_agreement: str
) -> None:
    ours = quoted(market, SMALL_SQL)["id"]
    before = market.balance()["available_vnd"]
    rival = market.client("rival")
    for agreement in (rivals_agreement, market.agreements["adult"]):
        body = market.ask(quote_id=ours) | {"agreement_ids": [agreement]}
        status, problem = _answer(rival, "/api/v1/queries", body)
        assert status in (403, 404, 409, 422), problem
    kept, another = market.agreements["adult"], market.agree("adult")
    try:
        body = market.ask(quote_id=ours) | {"agreement_ids": [another]}
        status, problem = _answer(market.client("startup"), "/api/v1/queries", body)
        assert (status, problem["code"]) == (409, "quote.mismatch")
    finally:
        market.agreements["adult"] = kept
    assert market.balance()["available_vnd"] == before


def test_a_key_of_one_tenant_replays_nothing_to_another(market: Market, rivals_agreement: str) -> None:
    key = uuid.uuid4().hex
    ours = market.client("startup").post("/api/v1/queries", market.ask(), idempotency_key=key)
    assert ours.status == 201
    market.credit(quoted(market, SMALL_SQL)["quote_vnd"], role="rival")
    for agreement in (market.agreements["adult"], rivals_agreement):
        body = market.ask() | {"agreement_ids": [agreement]}
        theirs = market.client("rival").post("/api/v1/queries", body, idempotency_key=key)
        assert ours.json()["id"] not in theirs.body.decode()
    assert market.client("startup").get(f"/api/v1/queries/{ours.json()['id']}").ok


def test_a_revoked_token_fetches_no_answer(market: Market) -> None:
    made = market.client("startup").post("/api/v1/tokens", {"name": "once", "scopes": ["read", "query"]}).json()
    once = Client(market.url, made["token"])
    query = once.post("/api/v1/queries", market.ask()).json()
    assert once.get(f"/api/v1/queries/{query['id']}/result").ok
    assert market.client("startup").delete(f"/api/v1/tokens/{made['id']}").ok
    for end in ("", "/result", "/receipt"):
        assert once.get(f"/api/v1/queries/{query['id']}{end}").status == 401
