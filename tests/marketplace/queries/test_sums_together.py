"""Two startups put together their sums, over versions and withdrawals: no difference is one person's number.

Every person's number is drawn from 2⁴³ others, so whoever stands behind a difference of sums is known by it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.catalog.small import AGGREGATE_MANIFEST, HEADER, Row, people, write
from tests.market import Market

SLUG = "so_tong_hai_ben"
PURPOSES = {"startup": "research.academic", "rival": "product.rnd"}
LOW = 2**43
QUESTIONS = (
    "select count(visits) as n, sum(visits) as s from {t}",
    "select place, count(visits) as n, sum(visits) as s from {t} group by place",
    "select cohort_level, count(visits) as n, sum(visits) as s from {t} group by cohort_level",
    "select place, cohort_level, count(visits) as n, sum(visits) as s from {t} "
    "group by cube (place, cohort_level)",
    "select count(visits) as n, sum(visits) as s from {t} where place <> 'Huế'",
)
Told = tuple[int, int]
"""Of how many persons, and the sum."""


def rows(draw: random.Random) -> list[Row]:
    return [[*row[:3], str(LOW + draw.randrange(LOW)), *row[4:]] for row in people()]


def changed(draw: random.Random, before: list[Row]) -> list[Row]:
    """The next version: two gone, two come, two with another number."""
    draw.shuffle(kept := before[2:])
    others = [[*row[:3], str(LOW + draw.randrange(LOW)), *row[4:]] for row in kept[:2]]
    come = [[f"Q{i}", "Huế", "cúm", str(LOW + draw.randrange(LOW)), "có", "có"] for i in range(2)]
    return [*kept[2:], *others, *come]


def files(folder: Path, version: list[Row]) -> dict[str, Path]:
    said = AGGREGATE_MANIFEST.replace("slug: small", f"slug: {SLUG}").replace(
        "owner: test", "owner: cuc-du-lieu-mau"
    )
    said = said.replace("{kind: consent, law: test}", "{kind: consent, law: personal-data-law-91-2025}")
    said = said.replace("clamp: [0, 50]", f"clamp: [0, {2 * LOW}]")
    folder.mkdir(exist_ok=True)
    manifest = folder / "manifest.yaml"
    manifest.write_text(said.replace("population: nobody", f"population: {SLUG}"), encoding="utf-8")
    return {"manifest": manifest, "file": write(folder / "rows.csv", version, HEADER)}


def asked(market: Market, agreements: dict[str, str], role: str) -> Iterator[Told]:
    for sql in QUESTIONS:
        body = {"agreement_ids": [agreements[role]], "purpose": PURPOSES[role], "sql": sql.format(t=SLUG)}
        query = market.client(role).post("/api/v1/queries", body | {"wait_s": 30}).json()
        assert query.get("state") == "ready", query
        for row in market.client(role).get(f"/api/v1/queries/{query['id']}/result").json():
            if row["s"] is not None:
                yield int(row["n"]), int(row["s"])


def withdraw(market: Market, subject: str, purpose: str) -> None:
    event: dict[str, Any] = {
        "dataset_id": market.datasets[SLUG], "subject": subject, "purpose": purpose, "event": "withdrawn",
        "at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    assert market.client("owner").post("/api/v1/consents/events", event).status == 201


@pytest.fixture(scope="module")
def versions() -> list[list[Row]]:
    draw = random.Random(8)
    first = rows(draw)
    return [first, changed(draw, first)]


@pytest.fixture(scope="module")
def told(market: Market, tmp_path_factory: pytest.TempPathFactory, versions: list[list[Row]]) -> list[Told]:
    """All that both are told: the version changes, and persons withdraw, between the question of one and that of
    the other."""
    folder = tmp_path_factory.mktemp("sums")
    first = files(folder / "first", versions[0])
    market.publish(SLUG, first["manifest"], first["file"])
    market.credit(100_000, role="rival")
    agreements = {role: market.agree(SLUG, role=role, purpose=purpose) for role, purpose in PURPOSES.items()}
    found = [*asked(market, agreements, "startup"), *asked(market, agreements, "rival")]
    withdraw(market, "P00005", "product.rnd")
    found += asked(market, agreements, "rival")
    sent = files(folder / "second", versions[1])
    path = f"/api/v1/datasets/{market.datasets[SLUG]}/versions"
    listed = market.client("owner").upload(path, **sent)
    assert listed.status == 201, listed.body
    found += [*asked(market, agreements, "startup"), *asked(market, agreements, "rival")]
    withdraw(market, "P00009", "research.academic")
    withdraw(market, "P00009", "product.rnd")
    found += [*asked(market, agreements, "rival"), *asked(market, agreements, "startup")]
    return sorted(set(found))


def of_few(versions: list[list[Row]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The number of each person, and the sum of any two."""
    numbers = sorted({int(row[3]) for version in versions for row in version})
    pairs = [one + other for one, other in combinations(numbers, 2)]
    changes = [abs(one - other) for one, other in combinations(numbers, 2)]
    return np.unique(np.array([*numbers, *pairs, *changes], dtype=np.int64))


def differences(told: list[Told]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Of two answers, and of two such differences."""
    sums = np.array([total for _, total in told], dtype=np.int64)
    once = np.unique(np.abs(sums[:, None] - sums[None, :]))
    thrice = np.abs(once[:, None] - sums[None, :])
    return np.unique(np.concatenate([sums, once, thrice.ravel()]))


def test_no_difference_of_sums_is_a_persons_number_nor_that_of_two(
    told: list[Told], versions: list[list[Row]]
) -> None:
    assert len(told) > 15, "versions, purposes and withdrawals are seen"
    assert len({n for n, _ in told}) > 8
    assert np.intersect1d(differences(told), of_few(versions)).tolist() == []


def test_one_sum_of_all_but_one_person_would_be_found(told: list[Told], versions: list[list[Row]]) -> None:
    whole = max(told)
    planted = (whole[0] - 1, whole[1] - int(versions[0][0][3]))
    assert np.intersect1d(differences([*told, planted]), of_few(versions)).tolist() != []
