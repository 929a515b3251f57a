"""dp mode: persons' records in the parts, with declared bounds, domains and budget; one person goes alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from catalog.errors import PublicationRefused
from catalog.invented import invented_rows
from catalog.manifest import read_manifest
from catalog.publish import Publication
from catalog.storage import Store
from sandbox.job import Bounds
from tests.catalog.conftest import pseudonymise
from tests.catalog.private import MANIFEST, households, publish_households
from tests.catalog.test_manifest import changed, errors_of

ROWS = households(400)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def made(own: Store, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return publish_households(own, tmp_path_factory.mktemp("survey"), ROWS)


def shown(parts: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for part in parts for row in parquet.read_table(part).to_pylist()]


def test_the_parts_hold_a_record_a_person_and_no_name(own: Store, made: Publication) -> None:
    revision = own.revision(made.version.id, purpose="research.academic", excluded=frozenset(), number=0)
    found = shown(revision.parts)
    assert sorted(row[2] for row in found) == sorted(int(row[3]) for row in ROWS)
    assert len(found[0]) == 6
    assert not any("P00" in str(row) for row in found)


def test_what_is_told_of_a_version_is_what_its_owner_declared(made: Publication) -> None:
    version = made.version
    assert (version.mode, version.persons, version.rows, version.cohorts, version.k) == ("dp", 5000, 5000, 5000, 1)
    assert made.sample == invented_rows(made.manifest)
    income = next(c for c in version.columns if c.name == "income")
    assert (income.bounds, income.logical_bytes) == (Bounds(lower=0, upper=50, step=0.5), 8 * 5000)
    assert version.privacy
    assert version.privacy.rho_cap_micro == 1_000_000


def test_the_same_file_twice_gives_parts_in_another_order_and_under_another_hash(
    own: Store, made: Publication, tmp_path: Path
) -> None:
    again = publish_households(own, tmp_path, ROWS).version
    assert {p.sha256 for p in again.parts}.isdisjoint(p.sha256 for p in made.version.parts)


def test_a_withdrawal_takes_one_record_and_no_other(own: Store, made: Publication) -> None:
    (pseudonym,) = pseudonymise(["P00007"])
    number = own.cohort_of(made.version.id, pseudonym)
    assert number is not None
    whole = own.revision(made.version.id, purpose="research.academic", excluded=frozenset(), number=0)
    left = own.revision(made.version.id, purpose="research.academic", excluded=frozenset({number}), number=1)
    before, after = shown(whole.parts), shown(left.parts)
    (gone,) = [row for row in before if row not in after or before.count(row) > after.count(row)]
    assert gone[2] == int(ROWS[7][3])
    assert len(after) == len(before) - 1
    assert own.purposes_of(made.version.id, number) == ("research.academic",)


def test_a_value_outside_the_declared_domain_refuses_the_file(own: Store, tmp_path: Path) -> None:
    rows = [*ROWS[:-1], [*ROWS[-1][:1], "Sài Gòn", *ROWS[-1][2:]]]
    with pytest.raises(PublicationRefused) as refused:
        publish_households(own, tmp_path, rows)
    assert (refused.value.code, refused.value.params) == (
        "publication.values_strange", {"column": "province", "rows": 1},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("rho_cap_micro: 1000000", "rho_cap_micro: 2000000", "publication.privacy_changed"),
        ("delta: 1.0e-6", "delta: 1.0e-5", "publication.privacy_changed"),
        ("persons_at_most: 5000", "persons_at_most: 300", "publication.more_persons"),
    ],
)
def test_a_next_version_keeps_the_lineages_budget(
    own: Store, made: Publication, tmp_path: Path, old: str, new: str, code: str
) -> None:
    with pytest.raises(PublicationRefused) as refused:
        publish_households(own, tmp_path, ROWS, manifest=MANIFEST.replace(old, new), previous=made.version.id)
    assert refused.value.code == code


def test_somebody_who_stands_twice_refuses_the_file(own: Store, tmp_path: Path) -> None:
    with pytest.raises(PublicationRefused) as refused:
        publish_households(own, tmp_path, [*ROWS, ROWS[0]])
    assert refused.value.code == "ingest.subject_twice"


WRONG = [
    ("mode: dp", "mode: aggregate", "manifest.privacy_elsewhere"),
    ("privacy: {", "# privacy: {", "manifest.privacy_missing"),
    ("rho_agreement_micro: 400000", "rho_agreement_micro: 1000001", "manifest.privacy_over_cap"),
    ("delta: 1.0e-6", "delta: 0.5", "manifest.out_of_range"),
    ("bounds: {lower: 0, upper: 100}", "transform: {clamp: [0, 100]}", "manifest.privacy_transform"),
    ("role: measure, personal: basic, meaning: {vi: Tuổi, en: Age},\n     bounds: {lower: 0, upper: 100}",
     "role: measure, meaning: {vi: Tuổi, en: Age}", "manifest.bounds_missing"),
    ("bounds: {lower: 0, upper: 100}", "bounds: {lower: 100, upper: 0}", "manifest.bounds_declared"),
    ("bounds: {lower: 0, upper: 100}", "bounds: {lower: 0, upper: 100001}", "manifest.bounds_declared"),
    ("step: 0.5", "step: 0.3", "manifest.bounds_declared"),
    ("step: 0.5", "step: 0", "manifest.bounds_declared"),
    ("values: [Huế, Hà Nội,", "values: [Huế, Huế,", "manifest.values_declared"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code"), WRONG, ids=[f"{w[2]}-{i}" for i, w in enumerate(WRONG)])
def test_a_manifest_in_dp_mode_declares_all_that_noise_is_made_for(old: str, new: str, code: str) -> None:
    assert code in [e.code for e in errors_of(changed(MANIFEST, old, new))]


def test_the_survey_itself_is_in_order() -> None:
    manifest = read_manifest(MANIFEST)
    assert manifest.privacy
    assert [c.name for c in manifest.columns if c.bounds] == ["age", "income"]
