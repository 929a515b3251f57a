"""One query over datasets of two owners: a decision, a price and a proof for each, and one answer."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from marketplace.audit.verify import verify_receipt
from marketplace.billing.split import rates_at, split
from marketplace.cli.client import Answer
from marketplace.verifier.note import parse_key
from tests.market import PURPOSE, SMALL_SQL, Market
from tests.pay import JOINED_SQL, K, both
from tests.visits import visiting

OWNERS = {"adult": "owner", "pay": "rival_owner"}


def _run(market: Market, sql: str = JOINED_SQL, *, key: str | None = None, **more: Any) -> Answer:
    body = market.ask(sql) | both(market) | more
    return market.client("startup").post("/api/v1/queries", body, idempotency_key=key)


def _by_dataset(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["dataset"]: line for line in found["lines"]}


def test_records_of_one_join_aggregates_of_the_other_on_a_code(several: Market) -> None:
    query = _run(several).json()
    assert query["state"] == "ready", query
    client = several.client("startup")
    rows = client.get(f"/api/v1/queries/{query['id']}/result").json()
    alone = client.post("/api/v1/queries", several.ask(SMALL_SQL)).json()
    counted = {r["education"]: r["n"] for r in client.get(f"/api/v1/queries/{alone['id']}/result").json()}
    assert len(rows) == 5
    for place, row in enumerate(sorted(rows, key=lambda row: str(row["education"]))):
        mean = sum(100 * place + i % 7 for i in range(48)) / 48
        assert (row["n"], row["persons"], row["mean"]) == (counted[row["education"]], 48, pytest.approx(mean))


def test_the_quote_has_a_line_a_dataset_and_is_the_bill_shared_between_their_owners(several: Market) -> None:
    client = several.client("startup")
    quote = client.post("/api/v1/queries/quote", several.ask(JOINED_SQL) | both(several)).json()
    lines = _by_dataset(quote)
    assert set(lines) == {"adult", "pay"}
    assert lines["pay"]["base_vnd"] == 700
    assert lines["adult"]["reads"] == ["education"]
    assert lines["pay"]["reads"] == ["education", "pay"]
    assert sum(line["quote_vnd"] for line in lines.values()) == quote["quote_vnd"]
    before = {role: several.balance(role) for role in ("startup", *OWNERS.values())}
    query = _run(several, quote_id=quote["id"]).json()
    assert query["charged_vnd"] == quote["quote_vnd"]
    after = several.balance()
    assert before["startup"]["available_vnd"] - after["available_vnd"] == quote["quote_vnd"]
    assert after["held_vnd"] == 0
    for slug, role in OWNERS.items():
        earned = several.balance(role)["balance_vnd"] - before[role]["balance_vnd"]
        assert earned == split(lines[slug]["quote_vnd"], rates_at(datetime.now(UTC))).owner
        (used,) = [u for u in several.client(role).get("/api/v1/usage").json()["items"]
                   if u["query_id"] == query["id"]]  # fmt: skip
        assert (used["dataset_slug"], used["price_vnd"]) == (slug, lines[slug]["quote_vnd"])
    assert several.reconciled()


def test_usage_and_statement_of_the_startup_agree_with_what_it_paid(several: Market) -> None:
    client = several.client("startup")
    totals = client.get("/api/v1/usage").json()["totals"]
    invoiced = client.get("/api/v1/invoices").json()["items"][0]
    charged = _run(several).json()["charged_vnd"]
    after = client.get("/api/v1/usage").json()["totals"]
    assert after["queries"] == totals["queries"] + 1
    assert after["rows"] == totals["rows"] + 5
    assert after["price_vnd"] == totals["price_vnd"] + charged
    assert client.get("/api/v1/invoices").json()["items"][0]["total_vnd"] == invoiced["total_vnd"] + charged


def test_the_stricter_of_both_holds_for_each(several: Market) -> None:
    body = several.ask(JOINED_SQL) | both(several)
    quote = several.client("startup").post("/api/v1/queries/quote", body).json()
    owed = [line["decision"]["obligations"] for line in quote["lines"]] + [quote["decision"]["obligations"]]
    assert owed[-1]["k_min"] == K, "adult has 10"
    assert len({(each["max_rows"], each["max_bytes"], each["expires_at"]) for each in owed}) == 1
    assert {line["dataset"]: line["decision"]["obligations"]["mode"] for line in quote["lines"]} == {
        "adult": "rows", "pay": "aggregate",
    }  # fmt: skip
    assert set(owed[-1]["columns"]) == {"adult.education", "pay.education", "pay.pay"}


def test_every_agreement_needed_is_named_and_none_that_is_not(several: Market) -> None:
    needed = several.client("startup").post("/api/v1/queries", several.ask(JOINED_SQL))
    assert (needed.status, needed.json()["code"]) == (422, "sql.unknown_table")
    idle = _run(several, SMALL_SQL)
    assert (idle.status, idle.json()["code"]) == (422, "query.agreement_not_needed")
    assert idle.json()["params"]["datasets"] == "pay"
    first = several.agreements["adult"]
    twice = _run(several, SMALL_SQL, agreement_ids=[first, several.agree("adult")])
    assert (twice.status, twice.json()["code"]) == (422, "query.same_dataset")
    repeated = _run(several, SMALL_SQL, agreement_ids=[first, first])
    assert repeated.status == 201, "the same agreement named twice is one"


def test_an_agreement_of_somebody_else_among_ours_is_not_there(several: Market) -> None:
    ours = several.agreements["pay"]
    theirs = several.agree("pay", role="rival", owner="rival_owner")
    several.agreements["pay"] = ours
    assert _run(several, agreement_ids=[several.agreements["adult"], theirs]).status == 404
    assert _run(several, agreement_ids=[several.agreements["adult"], str(uuid.uuid4())]).status == 404


def test_a_record_meets_as_many_persons_as_its_dimension_has_and_none_of_them(several: Market) -> None:
    joined = _run(several, "select count(*) as n from adult a join pay p on a.education = p.education").json()
    client = several.client("startup")
    (pairs,) = client.get(f"/api/v1/queries/{joined['id']}/result").json()
    each = client.get(f"/api/v1/queries/{_run(several).json()['id']}/result").json()
    assert pairs["n"] == sum(row["n"] * row["persons"] for row in each)


@pytest.fixture
def for_another_purpose(several: Market) -> Iterator[Market]:
    """The agreement on pay is for another purpose than that on adult."""
    ours = several.agreements["pay"]
    several.agree("pay", owner="rival_owner", purpose="product.rnd")
    yield several
    several.agreements["pay"] = ours


def test_one_denial_denies_all_and_says_of_which_dataset(for_another_purpose: Market) -> None:
    market = for_another_purpose
    before, key = market.balance()["available_vnd"], str(uuid.uuid4())
    problem = _run(market, key=key).json()
    assert problem["decision"]["allow"] is False
    reasons = [(r["code"], r["params"]["dataset"]) for r in problem["reasons"]]
    assert reasons == [("purpose.not_agreed", "pay")]
    assert problem["reasons"][0]["message"]["what"].startswith("pay: ")
    assert "nearest" not in problem, "no purpose serves both agreements"
    again = _run(market, key=key).json()
    told = ("decision", "reasons", "params")
    assert {name: again[name] for name in told} == {name: problem[name] for name in told}
    assert market.balance()["available_vnd"] == before
    seen = {
        role: [e["query_id"] for e in
               market.client(role).get("/api/v1/audit/events?name=query:deny").json()["items"]]
        for role in OWNERS.values()
    }  # fmt: skip
    query_id = problem["params"]["query_id"]
    assert query_id in seen["rival_owner"]
    assert query_id not in seen["owner"], "of adult nothing was denied, and nothing was done with it"


def test_a_limit_that_each_dataset_keeps_and_both_together_do_not_denies_once(several: Market) -> None:
    body = several.ask(JOINED_SQL) | both(several)
    price = several.client("startup").post("/api/v1/queries/quote", body).json()["quote_vnd"]
    problem = _run(several, max_vnd=price - 1).json()
    assert [(r["code"], "dataset" in r["params"]) for r in problem["reasons"]] == [("price.over_limit", False)]
    assert [(c["code"], c["params"]) for c in problem["nearest"]] == [("limit.raise", {"max_vnd": price})]
    assert _run(several, max_vnd=price).status == 201, "what is offered is allowed"


POSTED = ("query_charge", "share_owner", "share_state", "share_tax")
COST = {
    "usage.wall_us", "usage.cpu_us", "usage.peak_memory_bytes",
    *(f"ledger.{code}.{field}" for code in POSTED for field in ("id", "amount")),
}  # fmt: skip
MAY_SEE = {
    "owner": ("ledger.share_owner.",),
    "startup": ("usage.", "ledger.query_charge."),
    "regulator": ("usage.", "ledger."),
}
"""Of what a query cost. Neither owner nor startup is told any of what is the other's."""


def test_each_party_has_a_receipt_on_its_own_dataset_that_verifies_offline(several: Market) -> None:
    query = _run(several).json()
    key = parse_key(several.client(None).get("/api/v1/audit/key").body.decode().strip())
    lines = _by_dataset(query)
    for slug, role in OWNERS.items():
        for who in ("startup", role, "regulator"):
            receipt = _receipt(several, query["id"], lines[slug]["dataset_id"], who)
            checked = verify_receipt(receipt, key)
            assert checked.ok, checked.checks
            path = f"/api/v1/queries/{query['id']}/receipt?dataset_id={lines[slug]['dataset_id']}"
            bundle = several.client(who).get(path, accept="text/plain").body
            assert bundle.startswith(b"c2sp.org/tlog-proof@v1\n")
            # Whatever is logged between the two moves the checkpoint that they are proven by.
            again, proof = verify_receipt(bundle, key).receipt, checked.receipt
            assert again is not None
            assert proof is not None
            assert msgspec.structs.replace(again, log=proof.log) == proof
            body = json.loads(receipt)
            assert body["decision_id"] == lines[slug]["decision_id"]
            assert (body["price_vnd"], body["query_id"]) == (lines[slug]["quote_vnd"], query["id"])
            assert set(body["columns"]) == set(lines[slug]["columns"])
            shown = {fact["name"] for fact in body["facts"]["facts"]}
            cost = {fact["name"] for fact in body["settled"]["facts"]}
            opened = MAY_SEE.get(who, MAY_SEE["owner"])
            assert cost == {name for name in COST if name.startswith(opened)}
            assert ("request.beside" in shown) == (who == "regulator"), "no owner learns of the other"
        other = lines["pay" if slug == "adult" else "adult"]
        hidden = several.client(role).get(
            f"/api/v1/queries/{query['id']}/receipt?dataset_id={other['dataset_id']}"
        )
        assert hidden.status == 404
        assert several.client(role).get(f"/api/v1/decisions/{other['decision_id']}/receipt").status == 404
        whole = several.client(role).get(f"/api/v1/audit/completeness/{lines[slug]['dataset_id']}").json()
        assert whole["wrong"] == []


def _receipt(market: Market, query_id: str, dataset_id: str, role: str) -> bytes:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answer = market.client(role).get(f"/api/v1/queries/{query_id}/receipt?dataset_id={dataset_id}")
        if answer.ok:
            return answer.body
        assert answer.json()["code"] == "receipt.pending"
        time.sleep(0.05)
    raise AssertionError("no receipt")


def test_queries_that_name_the_same_agreements_in_opposite_order_all_end(several: Market) -> None:
    ids = both(several)["agreement_ids"]
    answers: list[Answer] = []

    def ask(order: list[str]) -> None:
        answers.extend(_run(several, agreement_ids=order) for _ in range(3))

    threads = [threading.Thread(target=ask, args=(order,)) for order in (ids, ids[::-1]) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.json()["state"] for answer in answers} == {"ready"}
    assert several.reconciled()


def test_one_agreement_ended_closes_the_answer_of_both(several: Market) -> None:
    ours = several.agreements["pay"]
    ended = several.agree("pay", owner="rival_owner")
    query = _run(several).json()
    path = f"/api/v1/queries/{query['id']}/result"
    assert several.client("startup").get(path).ok
    reason = {"reason": "Kết thúc để kiểm thử."}
    assert several.client("rival_owner").post(f"/api/v1/agreements/{ended}/end", reason).ok
    gone = several.client("startup").get(path)
    assert (gone.status, gone.json()["code"]) == (410, "query.result_gone")
    several.agreements["pay"] = ours


def test_the_console_asks_under_several_agreements_and_shows_a_price_line_each(several: Market) -> None:
    adult, pay = both(several)["agreement_ids"]
    with visiting(several, "startup") as visitor:
        page = visitor.get(f"/console?agreement={adult}&beside={pay}").text
        assert f'value="{pay}" checked' in page
        assert page.count('name="agreement" value=') == 2
        quoted = visitor.send("/console/quote", {"agreement": [adult, pay], "sql": JOINED_SQL}).text
        assert "Giá theo từng bộ dữ liệu" in quoted
        assert quoted.count('scope="row" class="code"') == 2
        ran = visitor.send("/console/run", {"agreement": [adult, pay], "sql": JOINED_SQL}).text
        assert "Bachelors" in ran
        refused = visitor.send("/console/quote", {"agreement": [adult, pay], "sql": SMALL_SQL}).text
        assert "Câu SQL không đọc gì từ: pay" in refused


def test_why_is_told_for_the_first_agreement_named(several: Market) -> None:
    adult, pay = both(several)["agreement_ids"]
    for first, second, slug in ((adult, pay, "adult"), (pay, adult, "pay")):
        body = {"agreement_ids": [first, second], "purpose": PURPOSE, "sql": JOINED_SQL}
        told = several.client("startup").post("/api/v1/queries/explain", body).json()
        owed = told["decision"]["obligations"]
        assert (owed["mode"], owed["k_min"]) == {"adult": ("rows", 10), "pay": ("aggregate", K)}[slug]
