"""An Idempotency-Key that comes again: under another agreement, another budget, after the agreement is over."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.market import Market


def ask(market: Market, key: str, **more: Any) -> tuple[int, dict[str, Any]]:
    body = market.ask() | more
    answer = market.client("startup").post("/api/v1/queries", body, idempotency_key=key)
    return answer.status, answer.json()


@pytest.fixture
def two(market: Market) -> tuple[str, str]:
    """Two agreements on the same dataset; the newest is the one that may be ended."""
    kept, other = market.agreements["adult"], market.agree("adult")
    market.agreements["adult"] = kept
    return kept, other


@pytest.mark.parametrize("change", ["agreement", "purpose", "sql", "bound", "both agreements"])
def test_a_key_that_comes_with_another_question_buys_and_tells_nothing(
    market: Market, two: tuple[str, str], change: str
) -> None:
    key = uuid.uuid4().hex
    _, first = ask(market, key)
    before = market.balance()
    changes: dict[str, dict[str, Any]] = {
        "agreement": {"agreement_ids": [two[1]]},
        "both agreements": {"agreement_ids": list(two)},
        "purpose": {"purpose": "product.rnd"},
        "sql": {"sql": "select count(*) as n from adult"},
        "bound": {"max_vnd": 10**9},
    }
    status, problem = ask(market, key, **changes[change])
    assert (status, problem["code"]) == (409, "idempotency.key_reused")
    assert first["id"] not in str(problem)
    assert market.balance() == before


def test_a_key_replayed_after_its_agreement_ended_costs_nothing_and_opens_no_answer(
    market: Market, two: tuple[str, str]
) -> None:
    key, asked = uuid.uuid4().hex, {"agreement_ids": [two[1]]}
    status, first = ask(market, key, **asked)
    assert (status, first["state"]) == (201, "ready")
    ended = market.client("owner").post(f"/api/v1/agreements/{two[1]}/end", {"reason": "Kết thúc để kiểm thử."})
    assert ended.ok, ended.body
    before = market.balance()
    status, again = ask(market, key, **asked)
    assert (status, again["id"], again["charged_vnd"]) == (201, first["id"], first["charged_vnd"])
    assert market.balance() == before
    result = market.client("startup").get(f"/api/v1/queries/{first['id']}/result")
    assert (result.status, result.json()["code"]) == (410, "query.result_gone")
    fresh = market.client("startup").post("/api/v1/queries", market.ask() | asked)
    assert fresh.status == 403
    assert market.balance() == before
