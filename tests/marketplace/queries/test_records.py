"""An owner's condition on records, end to end: whole cohorts are left out for one purpose and not for another."""

from __future__ import annotations

import csv
import json
from typing import Any

import psycopg
import pytest

from marketplace.db import embedded
from marketplace.db.roles import OWNER
from tests.market import Market
from tests.marketplace.queries.test_walk import _receipt as receipt_of
from tests.pay import EDUCATION, MANIFEST, K

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


def applied_for(some: Market, *only: dict[str, Any], again: str = "") -> Any:
    """The answer to an application (or to a resubmission) that is on these records alone."""
    body = {
        "purpose": "product.rnd",
        "justification": "Thống kê gộp cho kiểm thử, không tái định danh ai.",
        "duration_days": 30,
        "promises": {"records": list(only)} if only else {},
    }
    path = f"/api/v1/applications/{again}/resubmit" if again else f"/api/v1/datasets/{SLUG}/applications"
    return some.client("startup").post(path, body)


def decided(some: Market, application: str, decision: str) -> Any:
    body = {"decision": decision, "reason": "Chỉ hai trình độ."}
    return some.client("rival_owner").post(f"/api/v1/applications/{application}/decision", body)


def under(some: Market, agreement: str, sql: str = SQL) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    body = some.ask(sql, agreement_ids=[agreement], purpose="product.rnd")
    query = some.client("startup").post("/api/v1/queries", body).json()
    assert query["state"] == "ready", query
    return query, some.client("startup").get(f"/api/v1/queries/{query['id']}/result").json()


def only(*values: str) -> dict[str, Any]:
    return {"column": "education", "in": list(values)}


def test_an_agreement_is_on_the_records_that_both_sides_agreed_on(some: Market) -> None:
    """The owner returns what was applied for, the startup says which records, the owner accepts: both signed."""
    application = applied_for(some).json()["id"]
    assert decided(some, application, "return").ok
    again = applied_for(some, only("Graduate", "High school"), again=application)
    assert again.json()["promises"]["records"] == [only("Graduate", "High school")]
    agreement = decided(some, application, "accept").json()["agreement_id"]
    query, rows = under(some, agreement)
    assert rows == [{"education": "Graduate", "n": 48}, {"education": "High school", "n": 48}]
    assert query["decision"]["obligations"]["row_filter"] == [only("Graduate", "High school")]
    receipt = json.loads(receipt_of(some, query["id"]))
    assert "High school" in json.dumps(receipt["event"], ensure_ascii=False)
    told = some.client("startup").get(f"/api/v1/agreements/{agreement}").json()
    assert told["promises"]["records"] == [only("Graduate", "High school")]
    refinements = (
        some.client("startup").get(f"/api/v1/agreements/{agreement}/odrl").json()["permission"][0]["target"]
    )
    assert refinements["refinement"][-1]["rightOperand"] == ["Graduate", "High school"]


def test_what_two_agreements_differ_by_is_of_whole_cohorts(some: Market) -> None:
    """The nearest that subtracting gets: a value that one agreement lets be read and the other does not."""
    counts = []
    for values in (("Graduate", "High school"), ("Graduate",)):
        application = applied_for(some, only(*values)).json()["id"]
        agreement = decided(some, application, "accept").json()["agreement_id"]
        _, [row] = under(some, agreement, f"select count(*) as n, sum(pay) as pay from {SLUG}")
        counts.append(row["n"])
    assert counts[0] - counts[1] >= K


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"column": "pay", "in": ["100"]}, 400, "application.records_column"),
        ({"column": "gone", "in": ["x"]}, 400, "application.records_column"),
        ({"column": "education", "in": []}, 403, "condition.promised_records"),
        ({"column": "education", "in": [7]}, 400, None),
        ({"column": "education", "in": ["a\x00"]}, 400, None),
        ({"column": "education", "in": ["a"] * 101}, 400, None),
        ({"column": "education", "in": ["a" * 101]}, 400, None),
        ({"column": "education", "low": "A"}, 400, None),
    ],
)  # fmt: skip
def test_records_that_cannot_be_told_apart_are_not_applied_for(
    some: Market, wrong: dict[str, Any], status: int, code: str | None
) -> None:
    answer = applied_for(some, wrong)
    assert answer.status == status, answer.body
    told = answer.json()
    said = [each.get("code") for each in told.get("reasons") or told.get("errors") or ()]
    assert code is None or code in said


def test_values_are_values_whatever_they_say(some: Market) -> None:
    """Quotes, SQL and what looks like another letter choose nothing else than the record that says just that."""
    odd = ("Graduate", "' OR '1'='1", "x'); DROP TABLE pay; --", "Ｇraduate", "Graduate\u200b", "graduate", "%")
    application = applied_for(some, only(*odd)).json()["id"]
    agreement = decided(some, application, "accept").json()["agreement_id"]
    query, rows = under(some, agreement)
    assert rows == [{"education": "Graduate", "n": 48}]
    assert query["decision"]["obligations"]["row_filter"] == [only(*odd)]


def test_a_version_that_cannot_choose_the_agreed_records_any_more_says_so_and_is_free(some: Market) -> None:
    application = applied_for(some, only("Graduate")).json()["id"]
    agreement = decided(some, application, "accept").json()["agreement_id"]
    with psycopg.connect(embedded.url(some.home, OWNER)) as connection:
        connection.execute(
            """update agreement set promises = '{"records": [{"column": "pay", "in": ["100"]}]}' where id = %s""",
            (agreement,),
        )
    body = some.ask(SQL, agreement_ids=[agreement], purpose="product.rnd")
    query = some.client("startup").post("/api/v1/queries", body).json()
    assert (query["state"], query["charged_vnd"]) == ("failed", 0)
    assert query["failure"]["code"] == "sandbox.records_unknown"
