"""Offers, limits and signed quotes as a startup meets them, through the service."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
import pytest

from marketplace.cli.client import Answer
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.roles import OWNER
from marketplace.verifier.note import open_note, parse_key
from tests.market import PURPOSE, Market

SQL = "select sex, count(*) as n from adult group by sex"
DONG = 10**6
BASE_VND = 700


def ask(agreement: str, **more: Any) -> dict[str, Any]:
    return {"agreement_ids": [agreement], "purpose": PURPOSE, "sql": SQL, "wait_s": 30} | more


def offered(market: Market, name: str, **terms: Any) -> str:
    """An agreement of the rival on a private offer of these terms, beside a base price."""
    startup = str(market.person("rival").organisation_id)
    body = {"name": name, "startup_id": startup, "terms": {"per_query_micro": BASE_VND * DONG} | terms}
    made = market.client("owner").post("/api/v1/datasets/adult/offers", body)
    assert made.status == 201, made.body
    application = {
        "purpose": PURPOSE,
        "justification": "Thống kê gộp cho kiểm thử, không tái định danh ai.",
        "duration_days": 30,
        "offer_id": made.json()["id"],
    }
    applied = market.client("rival").post("/api/v1/datasets/adult/applications", application)
    assert applied.status == 201, applied.body
    path = f"/api/v1/applications/{applied.json()['id']}/decision"
    accepted = market.client("owner").post(path, {"decision": "accept"})
    assert accepted.ok, accepted.body
    return str(accepted.json()["agreement_id"])


@pytest.fixture(scope="module")
def rival(market: Market) -> Market:
    market.credit(100_000, role="rival")
    return market


def run(market: Market, agreement: str, **more: Any) -> Answer:
    return market.client("rival").post("/api/v1/queries", ask(agreement, **more))


def many(market: Market, agreement: str, count: int) -> list[Answer]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: run(market, agreement), range(count)))


def test_a_trial_a_tier_and_a_cap_as_they_are_billed(rival: Market) -> None:
    agreement = offered(
        rival, "story", trial={"queries": 2}, cap_month_vnd=1_500,
        tiers=[{"from_query": 4, "per_query_micro": 600 * DONG}],
    )  # fmt: skip
    before = rival.balance("rival")["available_vnd"]
    charged = [run(rival, agreement).json()["charged_vnd"] for _ in range(6)]
    assert charged == [0, 0, 700, 600, 200, 0]
    assert before - rival.balance("rival")["available_vnd"] == 1_500
    usage = rival.client("rival").get("/api/v1/usage?limit=6").json()["items"]
    assert [each["price_vnd"] for each in reversed(usage)] == charged
    assert rival.reconciled()


def test_of_many_at_once_a_trial_gives_so_many_and_the_rest_pay(rival: Market) -> None:
    agreement = offered(rival, "rush", trial={"queries": 5})
    # The dataset's trial was used by the organisation already: 2 of 5.
    answers = many(rival, agreement, 12)
    assert Counter(each.json()["charged_vnd"] for each in answers) == {0: 3, BASE_VND: 9}


def test_a_limit_stops_a_query_before_it_costs_and_the_log_says_so(rival: Market) -> None:
    agreement = offered(rival, "limited")
    person = str(rival.person("rival").person_id)
    spent = rival.client("rival").get("/api/v1/spending").json()["spent_vnd"]
    body = {"month_vnd": spent + 2 * BASE_VND + 1, "person_id": person}
    limits = rival.client("rival").post("/api/v1/spending/limits", body).json()["limits"]
    before = rival.balance("rival")["available_vnd"]
    answers = many(rival, agreement, 6)
    assert Counter(each.status for each in answers) == {201: 2, 402: 4}
    problem = next(each.json() for each in answers if each.status == 402)
    assert problem["code"] == "spending.limit_reached"
    assert before - rival.balance("rival")["available_vnd"] == 2 * BASE_VND
    events = rival.client("rival").get("/api/v1/audit/events?name=spending:stop").json()["items"]
    assert len([each for each in events if each["body"]["agreements"] == [agreement]]) == 4
    tried = rival.client("rival").post("/api/v1/queries/dry-run", ask(agreement)).json()
    assert (tried["would_run"], [each["code"] for each in tried["refusals"]]) == (
        False,
        ["spending.limit_reached"],
    )
    removed = rival.client("rival").delete(f"/api/v1/spending/limits/{limits[0]['id']}")
    assert removed.json()["limits"] == []
    assert run(rival, agreement).status == 201


def test_a_quote_is_signed_and_a_query_under_it_pays_that_at_most(rival: Market) -> None:
    agreement = offered(rival, "signed", tiers=[{"from_query": 2, "per_query_micro": 100 * DONG}])
    client = rival.client("rival")
    quote = client.post("/api/v1/queries/quote", ask(agreement)).json()
    key = parse_key(rival.client(None).get("/api/v1/queries/quote/key").body.decode())
    text, signers = open_note(quote["signed"], (key,))
    assert signers == (key,)
    promised = msgspec.json.decode(text.split("\n")[1])
    assert (promised["quote"], promised["ceiling_vnd"]) == (quote["id"], quote["quote_vnd"])
    (line,) = promised["lines"]
    assert (line["agreement"], line["offer_name"], line["offer_number"]) == (agreement, "signed", 1)
    assert [(item["code"], item["amount_vnd"]) for item in line["items"]] == [("query", BASE_VND)]
    assert run(rival, agreement).json()["charged_vnd"] == BASE_VND
    assert run(rival, agreement, quote_id=quote["id"]).json()["charged_vnd"] == 100, "its place is cheaper by now"
    assert client.post("/api/v1/queries", ask(agreement, quote_id=quote["id"], sql="select 1")).status in (
        409,
        422,
    )


def test_a_quote_that_was_changed_in_the_database_promises_nothing(rival: Market) -> None:
    agreement = offered(rival, "forged")
    quote = rival.client("rival").post("/api/v1/queries/quote", ask(agreement)).json()
    config = Config(home=rival.home)
    with psycopg.connect(embedded.url(config.home, OWNER)) as connection:
        connection.execute(
            "update quote set note = replace(note, '\"ceiling_vnd\":700', '\"ceiling_vnd\":1') where id = %s",
            (quote["id"],),
        )
    refused = run(rival, agreement, quote_id=quote["id"])
    assert (refused.status, refused.json()["code"]) == (409, "quote.mismatch")


def test_a_quote_that_a_trial_paid_for_ends_with_the_trial(rival: Market) -> None:
    used = 5  # by the two stories above
    agreement = offered(rival, "once", trial={"queries": used + 1})
    quote = rival.client("rival").post("/api/v1/queries/quote", ask(agreement)).json()
    assert quote["quote_vnd"] == 0
    assert run(rival, agreement).json()["charged_vnd"] == 0
    refused = run(rival, agreement, quote_id=quote["id"])
    assert (refused.status, refused.json()["code"]) == (409, "quote.expired")


def test_a_price_by_row_holds_its_ceiling_and_gives_the_rest_back(rival: Market) -> None:
    agreement = offered(rival, "rows", per_row_micro=2 * DONG + 500_000, per_cpu_second_micro=1)
    before = rival.balance("rival")
    spent = rival.client("rival").get("/api/v1/spending").json()["spent_vnd"]
    query = run(rival, agreement).json()
    assert query["rows"] == 2
    assert query["charged_vnd"] == BASE_VND + 5
    assert query["quote_vnd"] == BASE_VND + 25_000, "10,000 rows at most"
    after = rival.balance("rival")
    assert (before["available_vnd"] - after["available_vnd"], after["held_vnd"]) == (BASE_VND + 5, 0)
    used = rival.client("rival").get("/api/v1/usage?limit=1").json()["items"][0]
    assert (used["query_id"], used["price_vnd"]) == (query["id"], BASE_VND + 5)
    assert rival.client("rival").get("/api/v1/spending").json()["spent_vnd"] == spent + BASE_VND + 5
    failed = run(rival, agreement, sql="select * from adult").json()
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "sandbox.too_many_rows")
    assert failed["charged_vnd"] == BASE_VND + 3, "a failure counts as a row"
    assert rival.reconciled()


def test_a_ceiling_that_the_wallet_does_not_cover_is_refused_though_the_bill_would_be_small(rival: Market) -> None:
    agreement = offered(rival, "dear", per_row_micro=1_000 * DONG)
    refused = run(rival, agreement)
    assert (refused.status, refused.json()["reasons"][0]["code"]) == (403, "price.over_wallet")
