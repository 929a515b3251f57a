"""A query on a joint dataset through the whole service: both owners earn, both see it, both hold its receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from marketplace.billing.split import rates_at, split, split_between
from tests.catalog.joint.halves import BANK, BANK_HEADER, CLINIC, CLINIC_HEADER, clients, patients
from tests.catalog.small import write
from tests.market import Market

SIDES = ("owner", "rival_owner")
PURPOSE = "product.rnd"
SQL = "select place, job, sum(visits) as visits, sum(income) as income, count(*) as n from chung group by all"


@pytest.fixture(scope="module")
def joint(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """The service with a joint dataset `chung`, on which the startup has an agreement."""
    slugs = market_slugs(market)
    linkage = proposed(market, slugs["rival_owner"])
    folder = Path(tmp_path_factory.mktemp("joint"))
    for side, text, header, rows in (
        ("owner", CLINIC, CLINIC_HEADER, patients(range(150))),
        ("rival_owner", BANK, BANK_HEADER, clients(range(50, 200))),
    ):
        file, manifest = write(folder / f"{side}.csv", rows, header), folder / f"{side}.yaml"
        named = "owner: clinic" if side == "owner" else "owner: bank"
        words = {
            named: f"owner: {slugs[side]}", "slug: joint": "slug: chung",
            "population: nobody": "population: chung", "base_vnd: 1000": "base_vnd: 1007",
            "law: test": "law: personal-data-law-91-2025",
        }  # fmt: skip
        manifest.write_text(reduce(lambda told, each: told.replace(*each), words.items(), text), encoding="utf-8")
        sent = market.client(side).upload(
            f"/api/v1/linkages/{linkage}/contributions", manifest=manifest, file=file
        )
        assert sent.status == 201, sent.body
    for side in SIDES:
        sent = market.client(side).get(f"/api/v1/linkages/{linkage}").json()["contributions"]
        other = next(each["id"] for each in sent if each["owner"] != slugs[side])
        said = market.client(side).post(f"/api/v1/linkages/{linkage}/publication", {"contribution": other})
        assert said.ok, said.body
    market.datasets["chung"] = said.json()["released"]["dataset_id"]
    return agreed(market)


def market_slugs(market: Market) -> dict[str, str]:
    found = market.client("operator").get("/api/v1/organisations").json()
    by_id = {each["id"]: each["slug"] for each in found["items"]}
    return {side: by_id[str(market.person(side).organisation_id)] for side in SIDES}


def proposed(market: Market, partner: str) -> str:
    terms = {
        "partner": partner, "population": "chung", "purposes": [PURPOSE], "lead_basis_points": 3_333,
    }  # fmt: skip
    linkage = market.client("owner").post("/api/v1/linkages", terms)
    assert linkage.status == 201, linkage.body
    path = f"/api/v1/linkages/{linkage.json()['id']}/decision"
    assert market.client("rival_owner").post(path, {"decision": "approve"}).ok
    found: str = linkage.json()["id"]
    return found


def agreed(market: Market, *only: dict[str, Any]) -> Market:
    """`only`: the records that it is on; none: all."""
    body = {
        "purpose": PURPOSE, "justification": "Thống kê gộp cho kiểm thử, không tái định danh ai.",
        "duration_days": 30, "people": [str(market.person("startup").person_id)],
        "promises": {"records": list(only)} if only else {},
    }  # fmt: skip
    applied = market.client("startup").post("/api/v1/datasets/chung/applications", body)
    assert applied.status == 201, applied.body
    until = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    for side in SIDES:
        said = {"decision": "accept", "reason": "Phù hợp.", "expires_at": until}
        answer = market.client(side).post(f"/api/v1/applications/{applied.json()['id']}/decision", said)
        assert answer.ok, answer.body
    market.agreements["chung"] = answer.json()["agreement_id"]
    return market


def ask(market: Market) -> dict[str, Any]:
    asked = market.client("startup").post("/api/v1/queries", market.ask(SQL, slug="chung", purpose=PURPOSE))
    assert asked.status == 201, asked.body
    found: dict[str, Any] = asked.json()
    return found


def earned(market: Market, side: str) -> int:
    months = market.client(side).get("/api/v1/invoices").json()["items"]
    lines = [line for month in months for line in month["lines"] if line["dataset_slug"] == "chung"]
    return sum(line["amount_vnd"] for line in lines)


def test_a_query_pays_both_owners_and_the_books_agree(joint: Market) -> None:
    before = {side: (earned(joint, side), joint.balance(side)["balance_vnd"]) for side in SIDES}
    answer = ask(joint)
    charged = answer["charged_vnd"]
    assert charged >= 1007
    owners = split(charged, rates_at(datetime.now(UTC))).owner
    lead, partner = split_between(owners, 3_333)
    assert lead + partner == owners
    for side, share in zip(SIDES, (lead, partner), strict=True):
        assert earned(joint, side) - before[side][0] == share
        assert joint.balance(side)["balance_vnd"] - before[side][1] == share
        used = joint.client(side).get("/api/v1/usage").json()["items"]
        assert answer["id"] in {each["query_id"] for each in used}
    assert joint.reconciled()


def test_both_owners_see_a_query_in_the_log_and_a_third_does_not(joint: Market) -> None:
    answer = ask(joint)
    assert joint.client("startup").get(f"/api/v1/queries/{answer['id']}/result").ok
    for side in SIDES:
        events = joint.client(side).get(f"/api/v1/audit/events?query_id={answer['id']}").json()["items"]
        assert {each["name"] for each in events} == {"query:settle", "query:fetch"}
    events = joint.client("rival").get(f"/api/v1/audit/events?query_id={answer['id']}").json()["items"]
    assert events == []


def test_the_answer_is_of_those_who_are_in_both_files(joint: Market) -> None:
    """Made by real jails."""
    answer = ask(joint)
    rows = joint.client("startup").get(f"/api/v1/queries/{answer['id']}/result").json()
    known = {row[0]: row for row in clients(range(50, 150))}
    expected: dict[tuple[str, str], list[int]] = {}
    for key, place, _, visits, *_ in patients(range(50, 150)):
        job, income = known[key][1:3]
        sums = expected.setdefault((place, job), [0, 0, 0])
        sums[:] = [sums[0] + int(visits), sums[1] + int(income), sums[2] + 1]
    found = {(row["place"], row["job"]): [int(row["visits"]), int(row["income"]), row["n"]] for row in rows}
    assert found == expected


def only(column: str, *values: str) -> dict[str, Any]:
    return {"column": column, "in": list(values)}


def under(joint: Market, *records: dict[str, Any]) -> list[dict[str, Any]]:
    """What SQL gives under a new agreement on these records; the one on all of them stays the one asked under."""
    every = joint.agreements["chung"]
    try:
        answer = ask(agreed(joint, *records))
    finally:
        joint.agreements["chung"] = every
    owed = answer["decision"]["obligations"]["row_filter"]
    assert len(owed) == len(records)
    assert all(each in owed for each in records)
    found: list[dict[str, Any]] = joint.client("startup").get(f"/api/v1/queries/{answer['id']}/result").json()
    return sorted(found, key=lambda row: (row["place"], row["job"]))


@pytest.mark.parametrize(
    "records",
    [
        (only("place", "Huế"),),
        (only("job", "thợ"),),
        (only("place", "Huế"), only("job", "thợ", "thầy")),
        (only("place", "Huế", "Hà Nội"), only("job", "thầy")),
        (only("place", "Huế"), only("place", "Hà Nội")),
        (only("job", "Thợ", "thợ "),),
    ],
)
def test_an_agreement_on_some_records_sees_whole_cohorts_of_both_halves(
    joint: Market, records: tuple[dict[str, Any], ...]
) -> None:
    """A column of either owner chooses; what it chooses is what stands under the agreement on all, or nothing."""
    every = under(joint)
    chosen = [row for row in every if all(row[each["column"]] in each["in"] for each in records)]
    assert under(joint, *records) == chosen
    assert all(row["n"] >= 5 for row in every)
    gone = [row for row in every if row not in chosen]
    assert sum(row["n"] for row in gone) == 0 or sum(row["n"] for row in gone) >= 5


@pytest.mark.parametrize("column", ["income", "illness", "visits", "key", "gone"])
def test_no_agreement_is_on_records_chosen_by_what_is_not_a_quasi_identifier(joint: Market, column: str) -> None:
    body = {
        "purpose": PURPOSE,
        "justification": "Thống kê gộp cho kiểm thử, không tái định danh ai.",
        "duration_days": 30,
        "promises": {"records": [only(column, "10")]},
    }
    refused = joint.client("startup").post("/api/v1/datasets/chung/applications", body)
    assert refused.status == 400
    assert [each["code"] for each in refused.json()["errors"]] == ["application.records_column"]
