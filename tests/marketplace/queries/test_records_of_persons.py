"""An agreement on some records only, in dp mode: what it sees, what it spends, what two tell together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.market import PURPOSE, Market
from tests.marketplace.queries.test_at_rest import refused
from tests.marketplace.queries.test_private import _send_table, files

SLUG = "survey_of_some"
RHO = 60_000
FAR = 60
"""More than twenty standard deviations of a count at RHO, and far less than the 1,000 persons of a province."""
OWNER = "rival_owner"


@pytest.fixture(scope="module")
def some(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """A survey of another owner, in which each agreement is on some provinces only."""
    folder = tmp_path_factory.mktemp("some_persons")
    manifest, file = files(folder, slug=SLUG, population="persons_of_some")
    said = manifest.read_text(encoding="utf-8").replace("cuc-du-lieu-mau", "rival-owner")
    manifest.write_text(said, encoding="utf-8")
    market.publish(SLUG, manifest, file, owner=OWNER)
    agreed(market, "startup", "Huế")
    agreed(market, "rival", "Huế", "Hà Nội")
    market.credit(5_000_000, role="rival")
    return market


def agreed(market: Market, role: str, *provinces: str) -> None:
    body = {
        "purpose": PURPOSE,
        "justification": "Thống kê gộp cho kiểm thử, không tái định danh ai.",
        "duration_days": 30,
        "promises": {"records": [{"column": "province", "in": list(provinces)}]},
    }
    applied = market.client(role).post(f"/api/v1/datasets/{SLUG}/applications", body)
    assert applied.status == 201, applied.body
    said = {"decision": "accept", "reason": "Chỉ vài tỉnh."}
    answer = market.client(OWNER).post(f"/api/v1/applications/{applied.json()['id']}/decision", said)
    assert answer.ok, answer.body
    market.agreements[f"{SLUG}_{role}"] = answer.json()["agreement_id"]


def ask(market: Market, role: str, sql: str, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    asked = market.ask(sql, slug=f"{SLUG}_{role}", **{"rho_micro": RHO} | more)
    query = market.client(role).post("/api/v1/queries", asked).json()
    assert query.get("state") == "ready", query
    return query, market.client(role).get(f"/api/v1/queries/{query['id']}/result").json()


def left(market: Market, role: str) -> int:
    path = f"/api/v1/agreements/{market.agreements[f'{SLUG}_{role}']}/budget"
    found: int = market.client(role).get(path).json()["left_micro"]
    return found


def counted(rows: list[dict[str, Any]]) -> dict[str | None, int]:
    return {row["province"]: round(row["n"] / 1_000) for row in rows if abs(row["n"] % 1_000 - 500) > 500 - FAR}


def test_each_agreement_counts_its_own_persons_and_answers_every_declared_group(some: Market) -> None:
    """Every declared province is answered: who is left out stands in the agreement, not in the answer."""
    sql = f"SELECT province, count(*) AS n FROM {SLUG} GROUP BY province"
    budget = {role: left(some, role) for role in ("startup", "rival")}
    (one, ours), (other, theirs) = (ask(some, role, sql) for role in ("startup", "rival"))
    assert counted(ours) == {"Huế": 1, "Hà Nội": 0, "Cần Thơ": 0, "Cao Bằng": 0, None: 0}
    assert counted(theirs) == {"Huế": 1, "Hà Nội": 1, "Cần Thơ": 0, "Cao Bằng": 0, None: 0}
    assert (one["bytes"], one["charged_vnd"]) == (other["bytes"], other["charged_vnd"])
    assert {role: left(some, role) for role in budget} == {role: was - RHO for role, was in budget.items()}
    shown = one["decision"]["obligations"]["row_filter"]
    assert shown == [{"column": "province", "in": ["Huế"]}]


@pytest.mark.parametrize(
    "where",
    [
        "WHERE province = 'Hà Nội'",
        "WHERE province <> 'Huế' OR province IS NULL",
        "WHERE coalesce(province, 'x') = 'Hà Nội' OR age > 200",
        "WHERE province IN (SELECT tinh FROM noi_lam)",
    ],
)
def test_no_question_reaches_past_the_records_agreed_on(some: Market, where: str) -> None:
    table = _send_table(some, "tinh\nHà Nội\nCần Thơ\n")
    try:
        _, [row] = ask(some, "startup", f"SELECT count(*) AS n FROM {SLUG} {where}", rho_micro=RHO // 3)
    finally:
        assert some.client("startup").delete(f"/api/v1/tables/{table}").status == 204
    assert abs(row["n"]) < 2 * FAR


def test_groups_that_nobody_declared_show_only_persons_agreed_on(some: Market) -> None:
    sql = f"SELECT village, count(*) AS n, count(*) FILTER (WHERE province = 'Hà Nội') AS m FROM {SLUG} GROUP BY 1"
    _, rows = ask(some, "startup", sql)
    assert len(rows) == 10
    assert abs(sum(row["n"] for row in rows) - 1_000) < 5 * FAR
    assert abs(sum(row["m"] for row in rows)) < 5 * FAR


def test_the_answer_that_one_bought_is_not_the_others(some: Market) -> None:
    """The same question to the byte, of two startups with other records: each pays, for noise of its own."""
    sql = f"SELECT count(*) AS n FROM {SLUG} WHERE age >= 0"
    (one, ours), (other, theirs) = (ask(some, role, sql) for role in ("startup", "rival"))
    assert (one["rho_micro"], other["rho_micro"]) == (RHO, RHO)
    assert round(ours[0]["n"] / 1_000) == 1
    assert round(theirs[0]["n"] / 1_000) == 2
    again, same = ask(some, "startup", sql)
    assert (again["rho_micro"], same) == (0, ours)


def test_two_who_collude_have_no_more_budget_than_the_lineage_grants(some: Market) -> None:
    """Records in both agreements are told of by both, and that is counted: a third finds nothing left."""
    for wanted in (("Cần Thơ",), ("Huế", "Hà Nội", "Cần Thơ")):
        with pytest.raises(AssertionError, match=r"agreement\.lineage_spent"):
            agreed(some, "rival", *wanted)


def test_tables_of_one_key_each_are_paid_for_each_time_and_told_alike(some: Market) -> None:
    """A startup sends a table for each guess, and again after it removed it: no quote, price or budget tells which
    was right, and the same guess sent anew is a new question."""
    sql = f"SELECT count(*) AS n FROM {SLUG} WHERE province IN (SELECT tinh FROM noi_lam)"
    told, spent = [], []
    for guess in ("Huế", "Cao Bằng", "Đà Nẵng", "Huế"):
        table = _send_table(some, f"tinh\n{guess}\n")
        asked = some.ask(sql, slug=f"{SLUG}_startup", rho_micro=2_000)
        quote = some.client("startup").post("/api/v1/queries/quote", asked).json()
        query, _ = ask(some, "startup", sql, rho_micro=2_000)
        spent.append(query["rho_micro"])
        told.append((quote["quote_vnd"], quote["bytes"], quote["privacy"]["margins"], query["charged_vnd"]))
        assert some.client("startup").delete(f"/api/v1/tables/{table}").status == 204
    assert spent == [2_000] * 4
    assert all(each == told[0] for each in told)


def test_after_a_withdrawal_no_byte_of_an_answer_leaves_and_the_question_is_a_new_one(some: Market) -> None:
    sql = f"SELECT count(*) AS n FROM {SLUG} WHERE age < 100"
    query, _ = ask(some, "startup", sql, rho_micro=3_000)
    event = {
        "dataset_id": some.datasets[SLUG], "subject": "P00042", "purpose": PURPOSE, "event": "withdrawn",
        "at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    assert some.client(OWNER).post("/api/v1/consents/events", event).status == 201
    refused(some, query["id"], some.parties.tokens["startup"], 410, "query.result_gone")
    again, _ = ask(some, "startup", sql, rho_micro=3_000)
    assert again["rho_micro"] == 3_000


def test_32_at_once_some_alike_spend_what_they_are_given_and_no_more(some: Market) -> None:
    """The same question while it runs is bought again, with other noise; then its answer is there for nothing."""
    before, each_micro = left(some, "rival"), 50_000
    same = f"SELECT count(*) AS n FROM {SLUG} WHERE insured"
    asked = [same if number % 2 else f"{same} AND age > {number}" for number in range(32)]
    bodies = [some.ask(sql, slug=f"{SLUG}_rival", rho_micro=each_micro) for sql in asked]
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda body: some.client("rival").post("/api/v1/queries", body), bodies))
    ended = [answer.json() for answer in answers if answer.status == 201]
    assert all(query["state"] == "ready" for query in ended)
    assert {answer.status for answer in answers} <= {201, 403, 409, 503}
    assert left(some, "rival") == before - sum(query["rho_micro"] for query in ended) >= 0
    assert left(some, "rival") < each_micro
    if any(query["sql"] == same for query in ended):
        again, rows = ask(some, "rival", same, rho_micro=each_micro)
        assert (again["rho_micro"], again["charged_vnd"]) == (0, 0)
        assert rows == ask(some, "rival", same, rho_micro=each_micro)[1]
    assert some.reconciled()
