"""An owner's condition on records, end to end: whole cohorts are left out for one purpose and not for another."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.market import Market
from tests.pay import EDUCATION, MANIFEST

SLUG = "pay_of_some"
SQL = f"select education, count(*) as n from {SLUG} group by education order by education"
CONDITION = """
conditions:
  records:
    - {column: education, in: [Bachelors, Graduate], purposes: [research.academic]}
"""


@pytest.fixture(scope="module")
def some(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """A dataset whose owner lets two of five levels be read for research; agreed on for two purposes."""
    folder = tmp_path_factory.mktemp("some")
    manifest, file = folder / "m.yaml", folder / "f.csv"
    said = MANIFEST.replace("slug: pay", f"slug: {SLUG}").replace("population: pay", "population: some")
    manifest.write_text(said + CONDITION, encoding="utf-8")
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = [(level, 100 + i % 7) for level in EDUCATION for i in range(48)]
        csv.writer(out).writerows([("education", "pay"), *rows])
    market.publish(SLUG, manifest, file, owner="rival_owner")
    return market


def asked(market: Market, purpose: str, sql: str = SQL) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    agreement = market.agree(SLUG, owner="rival_owner", purpose=purpose)
    body = market.ask(sql, agreement_ids=[agreement], purpose=purpose)
    query = market.client("startup").post("/api/v1/queries", body).json()
    assert query["state"] == "ready", query
    return query, market.client("startup").get(f"/api/v1/queries/{query['id']}/result").json()


def test_only_the_records_that_the_owner_lets_be_read_for_a_purpose_are_read(some: Market) -> None:
    query, rows = asked(some, "research.academic")
    assert rows == [{"education": "Bachelors", "n": 48}, {"education": "Graduate", "n": 48}]
    filters = [{"column": "education", "in": ["Bachelors", "Graduate"]}]
    assert query["decision"]["obligations"]["row_filter"] == filters
    other, every = asked(some, "product.rnd")
    assert [row["n"] for row in every] == [48] * len(EDUCATION)
    assert (other["bytes"], other["charged_vnd"]) == (query["bytes"], query["charged_vnd"])


def test_no_sql_reaches_past_it(some: Market) -> None:
    sql = f"""select count(*) as n from {SLUG} where education = 'High school' or true
              union all select count(*) from (select education as e from {SLUG} group by e) where e is null"""
    _, rows = asked(some, "research.academic", sql)
    assert sorted(row["n"] for row in rows) == [0, 96]


def test_the_dataset_and_the_application_say_so(some: Market) -> None:
    page = some.client(None).get(f"/api/v1/datasets/{SLUG}").json()
    assert page["conditions"]["records"] == [
        {"column": "education", "in": ["Bachelors", "Graduate"], "purposes": ["research.academic"]}
    ]
