"""Two startups put together what each was told for its purpose, before and after withdrawals: whatever they
subtract is of no cohort, or of whole ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest

from tests.catalog.small import AGGREGATE_MANIFEST, people, write
from tests.market import Market

SLUG = "so_hai_muc_dich"
K = 5
PURPOSES = {"startup": "research.academic", "rival": "product.rnd"}
SQL = f"select place, count(*) as n, count(visits) as v, sum(visits) as s from {SLUG} group by place"
Told = dict[str | None, tuple[int, int]]
"""By place: how many persons, and of how many visits are told."""


@pytest.fixture(scope="module")
def told(market: Market, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """What both are told for their purposes, at first and after each of three withdrawals."""
    folder = tmp_path_factory.mktemp("two_purposes")
    said = AGGREGATE_MANIFEST.replace("slug: small", f"slug: {SLUG}").replace(
        "owner: test", "owner: cuc-du-lieu-mau"
    )
    manifest = folder / "manifest.yaml"
    said = said.replace("{kind: consent, law: test}", "{kind: consent, law: personal-data-law-91-2025}")
    manifest.write_text(said.replace("population: nobody", f"population: {SLUG}"), encoding="utf-8")
    market.publish(SLUG, manifest, write(folder / "rows.csv", people()))
    market.credit(100_000, role="rival")
    agreements = {role: market.agree(SLUG, role=role, purpose=purpose) for role, purpose in PURPOSES.items()}
    found = list(asked(market, agreements))
    for subject, purpose in (
        ("P00001", "product.rnd"),
        ("P00001", "research.academic"),
        ("P00008", "product.rnd"),
    ):
        withdraw(market, subject, purpose)
        found += asked(market, agreements)
    return found


def asked(market: Market, agreements: dict[str, str]) -> Iterator[Told]:
    for role, purpose in PURPOSES.items():
        body = {"agreement_ids": [agreements[role]], "purpose": purpose, "sql": SQL, "wait_s": 30}
        query = market.client(role).post("/api/v1/queries", body).json()
        assert query.get("state") == "ready", query
        rows = market.client(role).get(f"/api/v1/queries/{query['id']}/result").json()
        yield {row["place"]: (int(row["n"]), int(row["v"] or 0)) for row in rows}


def withdraw(market: Market, subject: str, purpose: str) -> None:
    event: dict[str, Any] = {
        "dataset_id": market.datasets[SLUG], "subject": subject, "purpose": purpose, "event": "withdrawn",
        "at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    assert market.client("owner").post("/api/v1/consents/events", event).status == 201


def test_no_difference_of_what_two_purposes_tell_is_of_fewer_than_k(told: list[Told]) -> None:
    differences = set()
    for one, other in combinations(told, 2):
        for place in one.keys() | other.keys():
            pairs = zip(one.get(place, (0, 0)), other.get(place, (0, 0)), strict=True)
            differences |= {abs(a - b) for a, b in pairs}
    assert {d for d in differences if 0 < d < K} == set()
    assert len(differences) > 3, "purposes and withdrawals are seen, as whole cohorts"


def test_a_purpose_never_tells_of_whom_only_the_other_may(told: list[Told]) -> None:
    """Half the persons consent to products, all to research: what product sees is part of what research does."""
    research, product = told[0], told[1]
    assert sum(n for n, _ in research.values()) == 240
    assert 0 < sum(n for n, _ in product.values()) <= 120
    assert all(n <= research[place][0] for place, (n, _) in product.items())


def test_who_withdraws_from_one_purpose_takes_her_cohort_out_of_that_one_only(told: list[Told]) -> None:
    before, after = told[:2], told[2:4]
    assert after[0] == before[0]
    lost = [before[1][place][0] - after[1].get(place, (0, 0))[0] for place in before[1]]
    assert sorted(n > 0 for n in lost) == [False, False, True]
    assert max(lost) >= K
