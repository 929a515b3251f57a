"""Why, and why not: each gate with the facts that are the startup's own, and nothing held, run or logged."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests import forked
from tests.market import SMALL_SQL, Market


def explained(market: Market, **more: Any) -> dict[str, Any]:
    answer = market.client("startup").post("/api/v1/queries/explain", market.ask() | more)
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.json()
    return told


def test_a_question_that_may_be_asked_passes_every_gate(market: Market) -> None:
    told = explained(market)
    assert told["decision"]["allow"]
    assert len(told["gates"]) > 20
    assert all(gate["holds"] and gate["law"] and not gate["messages"] for gate in told["gates"])


def test_the_gate_that_fails_says_why_and_what_next_in_both_languages(market: Market) -> None:
    told = explained(market, purpose="product.rnd", max_vnd=0)
    failed = {gate["code"]: gate for gate in told["gates"] if gate["holds"] is False}
    assert {"purpose.agreed", "price.limit"} <= failed.keys()
    for gate in failed.values():
        assert {language for each in gate["messages"] for language in each} == {"vi", "en"}
        assert all(said["next"] for each in gate["messages"] for said in each.values())
        assert gate["remedies"]
    assert {step["code"] for step in told["nearest"]} == {"purpose.choose", "limit.raise"}
    assert all(said["next"] for step in told["nearest"] for said in step["messages"].values())
    facts = {fact["name"]: fact for fact in failed["purpose.agreed"]["facts"]}
    assert facts["request.purpose"] == {"name": "request.purpose", "shown": True, "value": "product.rnd"}


def test_facts_of_the_dataset_are_named_and_not_shown(market: Market) -> None:
    facts = {fact["name"]: fact for gate in explained(market)["gates"] for fact in gate["facts"]}
    assert facts["wallet.available_vnd"]["value"] > 0
    hidden = {name for name, fact in facts.items() if not fact["shown"]}
    assert hidden == {"request.beside"} | {name for name in facts if name.startswith("dataset.")}
    assert all(facts[name]["value"] is None for name in hidden)


def test_nothing_is_held_run_or_logged(market: Market) -> None:
    def state() -> tuple[Any, ...]:
        return (
            market.balance(),
            len(market.client("startup").get("/api/v1/queries?limit=200").json()["items"]),
            market.client("startup").get("/api/v1/audit/events").json()["items"][:1],
        )

    before = state()
    explained(market)
    explained(market, purpose="product.rnd")
    assert state() == before


def test_an_agreement_of_somebody_else_explains_nothing(market: Market) -> None:
    assert market.client("rival").post("/api/v1/queries/explain", market.ask()).status == 404


def test_the_command_prints_each_gate_and_ends_as_the_decision_does(market: Market) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"SANDULIEU_URL": market.url, "SANDULIEU_TOKEN": market.parties.tokens["startup"]}
        return forked.run(("policies", "explain", *arguments), environment)

    given = ("--agreement", market.agreements["adult"], "--sql", SMALL_SQL)
    allowed = run(*given)
    assert allowed.returncode == 0, allowed.stderr
    assert "✓ purpose.agreed" in allowed.stdout
    assert "    agreement.purpose = " in allowed.stdout
    denied = run(*given, "--purpose", "resale")
    assert denied.returncode == 1
    assert "✗ purpose.known" in denied.stdout
    assert json.loads(run(*given, "--json").stdout)["decision"]["allow"]
    wrong = run("--agreement", market.agreements["adult"], "--sql", "selec")
    assert wrong.returncode == 1
    assert wrong.stderr
