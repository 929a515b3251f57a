"""One query, one decision, one price, one proof: through the real service."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet
import pytest

from marketplace.audit.sealing import unseal
from marketplace.cli.client import Answer
from marketplace.db import embedded
from marketplace.db.keys import Keys
from marketplace.db.roles import OWNER
from tests.market import PURPOSE, SMALL_SQL, Market


def _run(market: Market, sql: str = SMALL_SQL, *, key: str | None = None, **more: Any) -> Answer:
    return market.client("startup").post("/api/v1/queries", market.ask(sql, **more), idempotency_key=key)


def test_a_query_gives_the_answer_that_plain_counting_gives(market: Market) -> None:
    query = _run(market, "select count(*) as n from adult").json()
    rows = market.client("startup").get(f"/api/v1/queries/{query['id']}/result").json()
    version = market.client(None).get("/api/v1/datasets/adult").json()["version"]
    assert rows == [{"n": version["rows"]}]


def test_the_quote_is_the_bill_and_the_wallet_pays_it_once(market: Market) -> None:
    quote = market.client("startup").post("/api/v1/queries/quote", market.ask()).json()
    before = market.balance()["available_vnd"]
    query = _run(market, quote_id=quote["id"]).json()
    assert query["state"] == "ready"
    assert query["charged_vnd"] == quote["quote_vnd"] == query["quote_vnd"]
    assert market.balance()["available_vnd"] == before - query["charged_vnd"]
    assert market.reconciled()


def test_the_agreements_cap_counts_records_however_they_are_put_into_rows(market: Market) -> None:
    def released() -> int:
        with psycopg.connect(embedded.url(market.home, OWNER)) as connection:
            found = connection.execute("select coalesce(sum(records), 0) from agreement_meter").fetchone()
        assert found is not None
        return int(found[0])

    some = "(select age from adult order by age limit 900)"
    for packed, carried in (
        (f"list(age) as x from {some}", 900),
        (f"string_agg(age || '', ',') as x from {some}", 200),
    ):
        before = released()
        query = _run(market, f"select {packed}").json()
        assert (query["state"], query["rows"]) == ("ready", 1)
        assert released() - before > carried


def test_a_quote_holds_for_its_own_question_only(market: Market) -> None:
    quote = market.client("startup").post("/api/v1/queries/quote", market.ask()).json()
    answer = _run(market, "select count(*) as n from adult", quote_id=quote["id"])
    assert (answer.status, answer.json()["code"]) == (409, "quote.mismatch")


def test_the_same_key_and_body_give_the_same_query_and_another_body_a_conflict(market: Market) -> None:
    key = str(uuid.uuid4())
    first, again = _run(market, key=key), _run(market, key=key)
    assert first.status == again.status == 201
    assert first.json()["id"] == again.json()["id"]
    other = _run(market, "select count(*) as n from adult", key=key)
    assert (other.status, other.json()["code"]) == (409, "idempotency.key_reused")


def test_two_identical_requests_at_once_are_one_query(market: Market) -> None:
    key = str(uuid.uuid4())
    before = market.balance()["available_vnd"]
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(_run(market, key=key))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status for a in answers} <= {201, 202}
    assert len({a.json()["id"] for a in answers}) == 1
    assert before - market.balance()["available_vnd"] == answers[0].json()["quote_vnd"]


@pytest.mark.parametrize("purpose", ["product.rnd", "khong.co"])
def test_a_purpose_not_agreed_is_denied_with_reasons_and_costs_nothing(market: Market, purpose: str) -> None:
    before = market.balance()["available_vnd"]
    for path in ("/api/v1/queries", "/api/v1/queries/quote"):
        answer = market.client("startup").post(path, market.ask(purpose=purpose))
        assert answer.status == 403
        problem = answer.json()
        assert problem["decision"]["allow"] is False
        assert all(r["code"].startswith("purpose") for r in problem["reasons"])
        assert [(c["code"], c["params"]) for c in problem["nearest"]] == [
            ("purpose.choose", {"purpose": market.ask()["purpose"]})
        ]
        assert problem["messages"]["vi"]["what"]
        assert problem["messages"]["en"]["what"]
    assert market.balance()["available_vnd"] == before


def test_a_denial_is_in_the_log_of_both_parties_and_of_the_regulator(market: Market) -> None:
    problem = market.client("startup").post("/api/v1/queries", market.ask(purpose="product.rnd")).json()
    for role in ("startup", "owner", "regulator"):
        events = market.client(role).get("/api/v1/audit/events?name=query:deny").json()["items"]
        assert problem["params"]["query_id"] in {e["query_id"] for e in events}


def test_a_price_above_the_limit_given_is_denied(market: Market) -> None:
    problem = _run(market, max_vnd=0).json()
    assert [r["code"] for r in problem["reasons"]] == ["price.over_limit"]
    (change,) = problem["nearest"]
    assert (change["code"], set(change["params"])) == ("limit.raise", {"max_vnd"})
    assert _run(market, max_vnd=change["params"]["max_vnd"]).status in {201, 202}, "what is offered is allowed"


def test_a_denial_repeated_under_its_key_is_the_same_to_the_nearest_request(market: Market) -> None:
    first, again = (_run(market, key="denied-twice", max_vnd=0).json() for _ in range(2))
    assert first["nearest"]
    told = ("status", "params", "decision", "reasons", "nearest")
    assert {name: again[name] for name in told} == {name: first[name] for name in told}


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("select * from other_table", 1),
        ("select count(*)\nfrom adult\nwhere read_csv('/etc/passwd')", 3),
        ("drop table adult", 1),
        ("select 1; select 2", 1),
        ("selec 1", 1),
    ],
)
def test_sql_that_is_not_understood_is_refused_with_position_and_advice(
    market: Market, sql: str, line: int
) -> None:
    answer = _run(market, sql)
    assert answer.status == 422
    problem = answer.json()
    assert problem["position"]["line"] == line
    assert problem["position"]["column"] > 0
    assert problem["messages"]["vi"]["next"]
    assert problem["messages"]["en"]["next"]


def test_a_megabyte_of_sql_is_refused_for_its_length(market: Market) -> None:
    """Before anybody reads it: `test_a_megabyte_is_refused_at_once` counts what that takes."""
    answer = _run(market, "select " + "1+" * 500_000 + "1 as n from adult")
    assert (answer.status, answer.json()["code"]) == (422, "sql.too_long")


def test_too_many_rows_fail_and_cost_the_quote_and_nothing_is_cut(market: Market) -> None:
    query = _run(market, "select education, marital_status from adult").json()
    assert query["state"] == "failed"
    assert query["failure"]["code"] == "sandbox.too_many_rows"
    assert query["charged_vnd"] == query["quote_vnd"]
    fetched = market.client("startup").get(f"/api/v1/queries/{query['id']}/result")
    assert (fetched.status, fetched.json()["code"]) == (409, "query.not_ready")


def test_an_answer_comes_in_every_form(market: Market) -> None:
    query = _run(market).json()
    path, client = f"/api/v1/queries/{query['id']}/result", market.client("startup")
    expected = json.loads(client.get(path, accept="application/json").body)
    arrow = client.get(path, accept="application/vnd.apache.arrow.stream").body
    assert pa.ipc.open_stream(arrow).read_all().to_pylist() == expected
    parquet = client.get(path, accept="application/vnd.apache.parquet").body
    assert pa.parquet.read_table(pa.BufferReader(parquet)).to_pylist() == expected
    csv = client.get(path, accept="text/csv").body.decode().splitlines()
    assert len(csv) == len(expected) + 1


def test_a_receipt_verifies_offline_and_a_changed_byte_does_not(market: Market, tmp_path: Any) -> None:
    query = _run(market).json()
    body = _receipt(market, query["id"])
    key, receipt = tmp_path / "log.vkey", tmp_path / "receipt.json"
    key.write_bytes(market.client(None).get("/api/v1/audit/key").body)
    receipt.write_bytes(body)
    assert market.command("audit", "verify", str(receipt), "--key", str(key)).returncode == 0
    receipt.write_bytes(body.replace(str(query["charged_vnd"]).encode(), b"1", 1))
    assert market.command("audit", "verify", str(receipt), "--key", str(key)).returncode == 1


def test_a_receipt_opens_to_each_party_its_own_facts(market: Market) -> None:
    query = _run(market).json()
    startup, owner, regulator = (
        {fact["name"]: fact["value"] for fact in json.loads(_receipt(market, query["id"], role))["facts"]["facts"]}
        for role in ("startup", "owner", "regulator")
    )
    sections = {name.partition(".")[0] for name in regulator}
    assert sections == {"sql", "question", "caller", "agreement", "dataset", "request", "wallet"}
    hidden = regulator.keys() - startup.keys()
    assert {name for name in hidden if not name.startswith("dataset.")} == {"request.beside"}
    assert {name.partition(".")[0] for name in owner} == {"question", "agreement", "dataset", "request"}
    assert {"request.columns", "request.purpose"} == {name for name in owner if name.startswith("request.")}
    assert json.loads(startup["wallet.available_vnd"]) > 0
    assert json.loads(startup["sql"]) == SMALL_SQL


def test_no_fact_of_a_decision_lies_in_the_clear(market: Market) -> None:
    """Of a query that ran, of one denied, and of a quote denied; each can be opened by the home's key alone."""
    ran = _run(market).json()["id"]
    denied = market.client("startup").post("/api/v1/queries", market.ask(purpose="product.rnd")).json()
    market.client("startup").post("/api/v1/queries/quote", market.ask(purpose="vui.chơi"))
    with psycopg.connect(embedded.url(market.home, OWNER)) as connection:
        columns = connection.execute("select attname from pg_attribute where attrelid = 'query'::regclass")
        assert "question" not in {name for (name,) in columns}
        rows = connection.execute("select id, allow, key_id, sealed, decision::text from decision").fetchall()
        quote = connection.execute(
            "select (body->>'decision_id')::uuid from event where name = 'quote:deny' order by at desc limit 1"
        ).fetchone()
    assert quote is not None
    assert not any("available_vnd" in shown or b"available_vnd" in sealed for *_, sealed, shown in rows)
    found = {row[0]: row for row in rows}
    keys = Keys(market.home / "keys")
    for decision_id, purpose, allowed in (
        (uuid.UUID(ran), PURPOSE, True),
        (uuid.UUID(denied["params"]["query_id"]), "product.rnd", False),
        (quote[0], "vui.chơi", False),
    ):
        _, allow, key_id, sealed, _ = found[decision_id]
        kept = unseal(keys, decision_id=decision_id, key_id=key_id, sealed=sealed)
        assert (allow, kept.decision["allow"]) == (allowed, allowed)
        assert json.loads(kept.tree.values["request.purpose"]) == purpose
        assert kept.sql == SMALL_SQL


def _receipt(market: Market, query_id: str, role: str = "startup") -> bytes:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answer = market.client(role).get(f"/api/v1/queries/{query_id}/receipt")
        if answer.ok:
            return answer.body
        assert answer.json()["code"] == "receipt.pending"
        time.sleep(0.05)
    raise AssertionError("no receipt")


@pytest.mark.parametrize("method", ["quote", "run", "list", "show", "result", "receipt", "cancel"])
def test_who_may_call(market: Market, method: str) -> None:
    query = _run(market).json()
    paths = {
        "quote": "/api/v1/queries/quote",
        "run": "/api/v1/queries",
        "list": "/api/v1/queries",
        "show": f"/api/v1/queries/{query['id']}",
        "result": f"/api/v1/queries/{query['id']}/result",
        "receipt": f"/api/v1/queries/{query['id']}/receipt",
        "cancel": f"/api/v1/queries/{query['id']}",
    }

    def call(role: str | None) -> int:
        client = market.client(role)
        if method in ("quote", "run"):
            return client.post(paths[method], market.ask()).status
        if method == "cancel":
            return client.delete(paths[method]).status
        return client.get(paths[method]).status

    assert call(None) == 401
    assert call("rival") == (200 if method == "list" else 404)
    wrong = {"quote": 403, "run": 403, "list": 403, "show": 403, "result": 403, "receipt": 404, "cancel": 403}
    assert call("operator") == wrong[method]
    if method == "receipt":
        _receipt(market, query["id"])
    assert call("startup") in (200, 201)


def test_a_rival_sees_none_of_our_queries(market: Market) -> None:
    ours = _run(market).json()["id"]
    assert ours not in market.client("rival").get("/api/v1/queries").body.decode()


def test_the_log_tells_the_owner_nothing_of_the_startups_wallet(market: Market) -> None:
    asked = market.ask() | {"agreement_ids": [market.agree("adult", role="poor")]}
    denied = market.client("poor").post("/api/v1/queries", asked).json()
    assert [r["code"] for r in denied["reasons"]] == ["price.over_wallet"]
    assert denied["reasons"][0]["params"]["available_vnd"] == 0
    path = "/api/v1/audit/events?name=query:deny"
    events = market.client("owner").get(path).json()["items"]
    (logged,) = [e for e in events if e["query_id"] == denied["params"]["query_id"]]
    assert "available_vnd" not in json.dumps(logged)
    assert "facts_hash" not in json.dumps(logged)
    market.agree("adult")
