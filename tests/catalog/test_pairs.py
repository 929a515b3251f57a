"""What a version in aggregate mode holds beside counts and sums: products of two measures, bands, levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from catalog.errors import PublicationRefused
from catalog.jailed import measures, parts
from catalog.publish import Publication
from catalog.storage import Store
from catalog.subjects import Subjects
from tests.attack.algebra import HEADER, MANIFEST
from tests.catalog.conftest import pseudonymise
from tests.catalog.plain import in_process
from tests.catalog.small import Row, publish_rows

COUNT = 400


def rows() -> list[Row]:
    """Some have no visits and no cost; a few in one place have visits only; one is very dear."""
    found = []
    for i in range(COUNT):
        visits = "" if i % 10 == 0 else str(i * 7 % 10)
        cost = "" if not visits or (i % 3 == 0 and i % 17 == 1) else str(i * 11 % 40 + 1)
        place = ["Huế", "Hà Nội", "Cần Thơ"][i % 3] if i < COUNT - 6 else "Đà Lạt"
        found.append([f"P{i:05d}", place, ["cúm", "sởi"][i // 3 % 2], visits, cost, "có", "có"])
    return found


Cohorts = list[tuple[dict[str, Any], list[Row]]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Publication, Cohorts]:
    folder = tmp_path_factory.mktemp("pairs")
    store = Store(folder / "store")
    with in_process():
        publication = publish_rows(store, folder, rows(), manifest=MANIFEST, header=HEADER)
    version = publication.version
    names, number = Subjects(store.private(version.id) / "subjects.bin").all()
    called = dict(zip((n.tobytes() for n in names), number.tolist(), strict=True))
    tables = [parquet.read_table(store.public(version.id) / p.name).to_pylist() for p in version.parts]
    ranges = np.load(store.private(version.id) / "cohorts.npy").tolist()
    cohorts: Cohorts = [(tables[part][at], []) for part, at, _ in ranges]
    for row, name in zip(rows(), pseudonymise([r[0] for r in rows()]), strict=True):
        if called.get(name, -1) >= 0:
            cohorts[called[name]][1].append(row)
    return publication, cohorts


def test_a_product_is_told_only_where_whoever_has_the_one_has_the_other(made: tuple[Publication, Cohorts]) -> None:
    told = withheld = 0
    for record, people in made[1]:
        visits, cost = ({r[0] for r in people if r[at]} for at in (3, 4))
        product = record["visits__cost__sumxy"]
        if product is None:
            withheld += visits != cost
            continue
        told += 1
        assert visits == cost
        assert record["visits__count"] == record["cost__count"] == len(visits) >= made[0].version.k
        assert product == sum(float(r[3]) * float(r[4]) for r in people if r[3] and r[4])
    assert told > 10
    assert withheld > 0


def test_a_band_is_what_all_of_a_cohort_have_in_common(made: tuple[Publication, Cohorts]) -> None:
    labels = {None: 0, "<4": 0, "4-6": 0, ">=7": 0}
    for record, people in made[1]:
        labels[record["visits_band"]] += 1
        assert (record["place"] is None) == (record["cohort_level"] == "fallback")
        if record["cohort_level"] == "fallback":
            assert record["visits_band"] is None
            continue
        assert {r[1] for r in people} == {record["place"]}
        bands = {
            None if not r[3] else "<4" if int(r[3]) < 4 else "4-6" if int(r[3]) < 7 else ">=7" for r in people
        }
        assert bands == {record["visits_band"]}
    assert all(labels.values())


def test_the_version_says_what_its_files_hold_and_what_they_weigh(made: tuple[Publication, Cohorts]) -> None:
    version = made[0].version
    assert (version.cross_products, version.tells_level) == ((("visits", "cost"),), True)
    columns = {c.name: c for c in version.columns}
    assert list(columns) == ["place", "visits", "visits_band", "cost"]
    assert (columns["visits_band"].role, columns["visits_band"].transform) == (
        "quasi-identifier",
        "bins 4/7 | drop",
    )
    assert columns["visits"].logical_bytes == columns["cost"].logical_bytes == 32 * version.rows
    assert all(set(row) == set(columns) for row in made[0].sample)


def _as_if_nobody_lacked_one(patch: pytest.MonkeyPatch) -> None:
    right = measures.all_sums

    def told(every: list[measures.Measure], *rest: Any) -> list[measures.Sums]:
        alone = [measures.sums(m, *rest) for m in every]
        return [*right(every, *rest)[:2], alone[2]]

    patch.setattr(parts, "all_sums", told)


def _all_fine(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parts, "LEVELS", ("fine", "fine"))


@pytest.mark.parametrize(("lie", "promise"), [(_as_if_nobody_lacked_one, "contributors"), (_all_fine, "level")])
def test_a_jail_that_lies_about_it_is_refused(lie: Any, promise: str, tmp_path: Path) -> None:
    with in_process(), pytest.MonkeyPatch.context() as patch:
        lie(patch)
        patch.setattr("catalog.pipeline.stages.measure", lambda *_: None)
        with pytest.raises(PublicationRefused) as refused:
            publish_rows(Store(tmp_path / "store"), tmp_path, rows(), manifest=MANIFEST, header=HEADER)
    assert refused.value.params["promise"] == promise
