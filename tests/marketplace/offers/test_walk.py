"""Offers, limits and signed quotes as a startup meets them, through the service."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
import pytest

from marketplace.cli.client import Answer
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
    """An agreement of the startup on a private offer of these terms, beside a base price."""
    startup = str(market.person("startup").organisation_id)
    body = {"name": name, "startup_id": startup, "terms": {"per_query_micro": BASE_VND * DONG} | terms}
    made = market.client("owner").post("/api/v1/datasets/adult/offers", body)
    assert made.status == 201, made.body
    application = {
        "purpose": PURPOSE,
        "justification": "Thống kê gộp cho kiểm thử, không tái định danh ai.",
        "duration_days": 30,
        "offer_id": made.json()["id"],
    }
    applied = market.client("startup").post("/api/v1/datasets/adult/applications", application)
    assert applied.status == 201, applied.body
    path = f"/api/v1/applications/{applied.json()['id']}/decision"
    accepted = market.client("owner").post(path, {"decision": "accept"})
    assert accepted.ok, accepted.body
    # Whoever agrees next in this market takes the standard offer.
    assert market.client("owner").post(f"/api/v1/offers/{made.json()['id']}/retire", {}).ok
    return str(accepted.json()["agreement_id"])


def limited(market: Market, person: str, month_vnd: int) -> dict[str, Any]:
    """What a person may spend a month."""
    body = {"month_vnd": month_vnd, "person_id": person}
    limits = market.client("startup").post("/api/v1/spending/limits", body).json()["limits"]
    return next(each for each in limits if each["person_id"] == person)


def run(market: Market, agreement: str, **more: Any) -> Answer:
    return market.client("startup").post("/api/v1/queries", ask(agreement, **more))


def many(market: Market, agreement: str, count: int) -> list[Answer]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: run(market, agreement), range(count)))


def test_a_trial_a_tier_and_a_cap_as_they_are_billed(market: Market) -> None:
    assert run(market, offered(market, "first", trial={"queries": 100})).json()["charged_vnd"] == 0
    agreement = offered(
        market, "story", trial={"queries": _trial_queries(market) + 2}, cap_month_vnd=1_500,
        tiers=[{"from_query": 4, "per_query_micro": 600 * DONG}],
    )  # fmt: skip
    before = market.balance()["available_vnd"]
    charged = [run(market, agreement).json()["charged_vnd"] for _ in range(6)]
    assert charged == [0, 0, 700, 600, 200, 0]
    assert before - market.balance()["available_vnd"] == 1_500
    usage = market.client("startup").get("/api/v1/usage?limit=6").json()["items"]
    assert [each["price_vnd"] for each in reversed(usage)] == charged
    assert market.reconciled()


def test_a_trial_is_the_organisations_once_for_all_its_agreements(market: Market) -> None:
    assert run(market, offered(market, "taste", trial={"queries": 100})).json()["charged_vnd"] == 0
    taken = _trial_queries(market)
    agreement = offered(market, "rush", trial={"queries": taken + 3})
    assert Counter(each.json()["charged_vnd"] for each in many(market, agreement, 12)) == {0: 3, BASE_VND: 9}
    last = offered(market, "once", trial={"queries": taken + 4})
    quote = market.client("startup").post("/api/v1/queries/quote", ask(last)).json()
    assert quote["quote_vnd"] == 0
    assert run(market, last).json()["charged_vnd"] == 0
    refused = run(market, last, quote_id=quote["id"])
    assert (refused.status, refused.json()["code"]) == (409, "quote.expired"), "a quote ends with its trial"


def test_the_first_to_ask_in_a_month_pays_for_it_first(market: Market) -> None:
    """Nobody asks on credit until the next round of charges."""
    before = market.balance()["available_vnd"]
    asked = many(market, offered(market, "monthly", month_vnd=40_000), 3)
    assert [each.json().get("charged_vnd", each.body) for each in asked] == [BASE_VND] * 3
    assert before - market.balance()["available_vnd"] == 40_000 + 3 * BASE_VND
    assert market.reconciled()


def _trial_queries(market: Market) -> int:
    """How many of the organisation's queries a trial paid for so far."""
    startup = market.person("startup").organisation_id
    with psycopg.connect(embedded.url(market.home, OWNER)) as connection:
        found = connection.execute(
            "select sum(trial_queries) from month_spend where organisation_id = %s", (startup,)
        ).fetchone()
    assert found
    return int(found[0])


def test_a_limit_stops_a_query_before_it_costs_and_the_log_says_so(market: Market) -> None:
    agreement = offered(market, "limited")
    person = str(market.person("startup").person_id)
    limit = limited(market, person, 10**9)
    limited(market, person, limit["spent_vnd"] + 2 * BASE_VND + 1)
    before = market.balance()["available_vnd"]
    answers = many(market, agreement, 6)
    assert Counter(each.status for each in answers) == {201: 2, 402: 4}
    problem = next(each.json() for each in answers if each.status == 402)
    assert problem["code"] == "spending.limit_reached"
    assert before - market.balance()["available_vnd"] == 2 * BASE_VND
    events = market.client("startup").get("/api/v1/audit/events?name=spending:stop").json()["items"]
    assert len([each for each in events if each["body"]["agreements"] == [agreement]]) == 4
    tried = market.client("startup").post("/api/v1/queries/dry-run", ask(agreement)).json()
    assert (tried["would_run"], [each["code"] for each in tried["refusals"]]) == (
        False,
        ["spending.limit_reached"],
    )
    removed = market.client("startup").delete(f"/api/v1/spending/limits/{limit['id']}")
    assert limit["id"] not in removed.body.decode()
    assert run(market, agreement).status == 201


def test_a_quote_is_signed_and_a_query_under_it_pays_that_at_most(market: Market) -> None:
    agreement = offered(market, "signed", tiers=[{"from_query": 2, "per_query_micro": 100 * DONG}])
    client = market.client("startup")
    quote = client.post("/api/v1/queries/quote", ask(agreement)).json()
    key = parse_key(market.client(None).get("/api/v1/queries/quote/key").body.decode())
    text, signers = open_note(quote["signed"], (key,))
    assert signers == (key,)
    promised = msgspec.json.decode(text.split("\n")[1])
    assert (promised["quote"], promised["ceiling_vnd"]) == (quote["id"], quote["quote_vnd"])
    (line,) = promised["lines"]
    assert (line["agreement"], line["offer_name"], line["offer_number"]) == (agreement, "signed", 1)
    assert [(item["code"], item["amount_vnd"]) for item in line["items"]] == [("query", BASE_VND)]
    assert run(market, agreement).json()["charged_vnd"] == BASE_VND
    assert run(market, agreement, quote_id=quote["id"]).json()["charged_vnd"] == 100, "its place is cheaper by now"
    assert client.post("/api/v1/queries", ask(agreement, quote_id=quote["id"], sql="select 1")).status in (
        409,
        422,
    )


CHEAP = [{"from_query": 3, "per_query_micro": 100 * DONG}]


@pytest.mark.parametrize(("terms", "quoted_vnd"), [({"cap_month_vnd": 1_000}, 0), ({"tiers": CHEAP}, 100)])
def test_what_held_queries_made_cheaper_is_no_promise_once_they_are_cancelled(
    market: Market, terms: dict[str, Any], quoted_vnd: int
) -> None:
    agreement = offered(market, f"held-{quoted_vnd}", **terms)
    assert run(market, agreement).json()["charged_vnd"] == BASE_VND
    held = "update month_spend set queries = queries + %s, vnd = vnd + %s where agreement_id = %s"
    with psycopg.connect(embedded.url(market.home, OWNER), autocommit=True) as connection:
        connection.execute(held, (2, 300, agreement))
        quote = market.client("startup").post("/api/v1/queries/quote", ask(agreement)).json()
        connection.execute(held, (-2, -300, agreement))
    assert quote["quote_vnd"] == quoted_vnd
    refused = run(market, agreement, quote_id=quote["id"])
    assert (refused.status, refused.json()["code"]) == (409, "quote.expired")


def test_a_quote_that_was_changed_in_the_database_promises_nothing(market: Market) -> None:
    agreement = offered(market, "forged")
    quote = market.client("startup").post("/api/v1/queries/quote", ask(agreement)).json()
    with psycopg.connect(embedded.url(market.home, OWNER)) as connection:
        connection.execute(
            "update quote set note = replace(note, '\"ceiling_vnd\":700', '\"ceiling_vnd\":1') where id = %s",
            (quote["id"],),
        )
    refused = run(market, agreement, quote_id=quote["id"])
    assert (refused.status, refused.json()["code"]) == (409, "quote.mismatch")


def test_a_price_by_row_holds_its_ceiling_and_gives_the_rest_back(market: Market) -> None:
    agreement = offered(market, "rows", per_row_micro=2 * DONG + 500_000, per_cpu_second_micro=1)
    before = market.balance()
    spent = market.client("startup").get("/api/v1/spending").json()["spent_vnd"]
    query = run(market, agreement).json()
    assert query["rows"] == 2
    assert query["charged_vnd"] == BASE_VND + 5
    assert query["quote_vnd"] == BASE_VND + 25_000, "10,000 rows at most"
    after = market.balance()
    assert (before["available_vnd"] - after["available_vnd"], after["held_vnd"]) == (BASE_VND + 5, 0)
    used = market.client("startup").get("/api/v1/usage?limit=1").json()["items"][0]
    assert (used["query_id"], used["price_vnd"]) == (query["id"], BASE_VND + 5)
    assert market.client("startup").get("/api/v1/spending").json()["spent_vnd"] == spent + BASE_VND + 5
    listed = run(
        market, agreement, sql="select list(sex order by sex) as all_of_them from (select distinct sex from adult)"
    )
    told = listed.json()
    assert (told["rows"], told["charged_vnd"]) == (1, BASE_VND + 8), "elements of a list are paid for like rows"
    wide = run(
        market, agreement, sql=f"select {', '.join(f'count(*) + {i}' for i in range(20))} from adult"
    ).json()
    assert (wide["rows"], wide["charged_vnd"]) == (1, BASE_VND + 13), "so are values that no record has room for"
    spent += BASE_VND + 8 + BASE_VND + 13
    failed = run(market, agreement, sql="select * from adult").json()
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "sandbox.too_many_rows")
    assert failed["charged_vnd"] == BASE_VND + 3, "a failure counts as a row"
    assert market.reconciled()


def test_a_ceiling_that_the_wallet_does_not_cover_is_refused_though_the_bill_would_be_small(
    market: Market,
) -> None:
    agreement = offered(market, "dear", per_row_micro=100_000 * DONG)
    refused = run(market, agreement)
    assert (refused.status, refused.json()["reasons"][0]["code"]) == (403, "price.over_wallet")
