"""A dry run: everything that stands against a question at once, free, stored nowhere."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from marketplace.cli.client import Answer
from marketplace.db import embedded
from marketplace.db.roles import OWNER
from tests.market import SMALL_SQL, Market

PATH = "/api/v1/queries/dry-run"


def _try(market: Market, sql: str = SMALL_SQL, **more: Any) -> dict[str, Any]:
    answer: Answer = market.client("startup").post(PATH, market.ask(sql, **more))
    assert answer.status == 200, answer.body
    tried: dict[str, Any] = answer.json()
    return tried


def test_it_says_what_the_quote_says_and_what_bounds_it(market: Market) -> None:
    tried = _try(market, max_seconds=3)
    quote = market.client("startup").post("/api/v1/queries/quote", market.ask()).json()
    assert (tried["would_run"], tried["refusals"]) == (True, [])
    assert (tried["price_vnd"], tried["bytes"]) == (quote["quote_vnd"], quote["bytes"])
    assert tried["columns"] == quote["columns"]
    (line,) = tried["lines"]
    assert (line["dataset"], line["mode"], line["reads"]) == ("adult", "rows", ["education"])
    assert line["records_left"] > 0
    assert tried["limits"]["deadline_ms"] == 3_000
    assert tried["limits"]["max_rows"] > 0


def test_every_refusal_of_policy_and_sql_comes_at_once(market: Market) -> None:
    tried = _try(market, "select educaton from adult", purpose="product.rnd", max_vnd=0)
    assert tried["would_run"] is False
    assert tried["limits"] is None
    codes = [refusal["code"] for refusal in tried["refusals"]]
    assert codes[0].startswith("sql.")
    assert tried["refusals"][0]["params"]["word"] == "educaton"
    assert "price.over_limit" in codes
    assert any(code.startswith("purpose") for code in codes)
    assert all(refusal["messages"]["vi"]["next"] for refusal in tried["refusals"])


def test_it_leaves_no_trace_and_costs_nothing(market: Market) -> None:
    def traces() -> tuple[Any, ...]:
        with psycopg.connect(embedded.url(market.home, OWNER)) as connection:
            counts = [
                connection.execute(f"select count(*) from {table}").fetchone()
                for table in ("query", "quote", "decision", "event", "transfer", "usage")
            ]
        return tuple(counts)

    before = traces()
    _try(market)
    _try(market, purpose="product.rnd")
    assert traces() == before


def test_it_says_the_same_whatever_the_data_hold(market: Market) -> None:
    """A value that is there and one that is not: only names and sizes that were published are told."""
    there, nowhere = (
        _try(market, f"select count(*) as n from adult where education = '{value}'")
        for value in ("Bachelors", "No such school")
    )
    assert there["decision"].pop("facts_hash") != ""
    nowhere["decision"].pop("facts_hash")
    for tried in (there, nowhere):
        tried["decision"].pop("valid_until")
        tried["decision"]["obligations"].pop("recheck_after")
    assert there == nowhere


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("rival", 404), ("operator", 403), ("startup", 200)])
def test_who_may_try(market: Market, role: str | None, status: int) -> None:
    assert market.client(role).post(PATH, market.ask()).status == status
