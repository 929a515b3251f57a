"""Suites: written first from what the manifest says, edited, and refused where they contradict it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ManifestRefused, PublicationRefused
from catalog.manifest import Manifest, read_manifest
from catalog.publish import Publication, publish
from catalog.quality import gate
from catalog.quality.drift import drift, psi
from catalog.quality.generate import generate
from catalog.quality.profile import profile
from catalog.quality.reading import read_suite, write_suite
from catalog.quality.rules import require_fit
from catalog.quality.suite import Suite
from catalog.quality.wire import Bin, ColumnProfile, Profile
from catalog.storage import Store
from tests.catalog.conftest import EXAMPLES, LIMITS, pseudonymise

ADULT = (EXAMPLES / "adult" / "manifest.yaml").read_text(encoding="utf-8")
COUNTS = st.dictionaries(st.none() | st.sampled_from("abcdef"), st.integers(1, 10**6), min_size=1)


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest(ADULT)


def suite_of(kind: str, **arguments: object) -> Suite:
    told = {"type": f"expect_{kind}", "kwargs": arguments, "meta": {"axis": "accurate"}}
    return msgspec.convert({"name": "adult", "expectations": [told]}, Suite)


def test_what_is_generated_fits_and_is_read_as_it_was_written(manifest: Manifest) -> None:
    suite = generate(manifest)
    require_fit(suite, manifest)
    assert read_suite(write_suite(suite)) == suite
    assert {e.purpose.axis for e in suite.expectations} == {"accurate", "complete", "clean"}


def test_a_profile_tightens_what_is_expected(manifest: Manifest) -> None:
    seen = ColumnProfile(name="sex", bins=(Bin("Male", 20), Bin("Female", 10), Bin(None, 1)))
    suite = generate(manifest, Profile(persons=31, columns=(seen,)))
    found = {(e.type, e.purpose.why): e.arguments for e in suite.expectations if e.arguments.column == "sex"}
    assert found[("expect_column_values_to_not_be_null", "seen")].mostly == 0.95
    assert found[("expect_column_values_to_be_in_set", "seen")].value_set == ("Male", "Female")


@pytest.mark.parametrize(
    ("suite", "code"),
    [
        (suite_of("column_values_to_not_be_null", column="fnlwgt"), "quality.unknown_column"),
        (suite_of("column_values_to_not_be_null"), "quality.argument_missing"),
        (suite_of("column_values_to_be_between", column="age"), "quality.argument_missing"),
        (suite_of("column_values_to_be_between", column="age", min_value=9, max_value=1),
         "quality.limits_crossed"),
        (suite_of("column_values_to_be_between", column="age", min_value="9"), "quality.not_of_type"),
        (suite_of("column_values_to_match_regex", column="age", regex="^1"), "quality.not_of_type"),
        (suite_of("column_values_to_match_regex", column="sex", regex="^(?!M)"), "quality.lookaround"),
        (suite_of("column_values_to_be_in_set", column="workclass", value_set=["Private"]),
         "quality.contradicts_manifest"),
    ],
)  # fmt: skip
def test_a_suite_that_contradicts_the_manifest_is_refused(suite: Suite, code: str, manifest: Manifest) -> None:
    with pytest.raises(ManifestRefused) as refused:
        require_fit(suite, manifest)
    assert [e.code for e in refused.value.errors] == [code]


@pytest.mark.parametrize(
    "text", ["", "[]", "name: x", "name: x\nexpectations: []", "name: x\nexpectations: [{type: no}]"]
)
def test_what_is_no_suite_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ManifestRefused) as refused:
        read_suite(text)
    assert all(e.line >= 1 for e in refused.value.errors)


@given(counts=COUNTS)
def test_nothing_drifts_from_itself_whatever_its_size(counts: dict[str | None, int]) -> None:
    assert psi(counts, {label: 3 * n for label, n in counts.items()}) == pytest.approx(0, abs=1e-12)


@given(before=COUNTS, now=COUNTS)
def test_drift_is_symmetric_and_never_negative(before: dict[str | None, int], now: dict[str | None, int]) -> None:
    assert psi(before, now) >= 0
    assert psi(before, now) == pytest.approx(psi(now, before))


def test_the_profile_of_a_version_counts_its_persons_and_does_not_drift(store: Store, adult: Publication) -> None:
    version = adult.version
    files = [store.public(version.id) / part.name for part in version.parts]
    found = profile(files, version, limits=LIMITS)
    assert found is not None
    assert found.persons == version.persons
    for column in found.columns:
        assert sum(b.persons for b in column.bins) == version.persons
        assert all(b.persons >= version.k for b in column.bins if b.label != "")
    assert {(d.psi_micro, d.state) for d in drift(found, found)} == {(0, "stable")}
    gone = msgspec.structs.replace(found, columns=found.columns[1:])
    assert (drift(found, gone)[-1].state, drift(gone, found)[0].state) == ("gone", "new")


def test_a_version_that_misses_what_is_critical_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged on what the file says, before it is made coarser, without Great Expectations too; the store is as it
    was."""
    monkeypatch.setattr(gate, "expectations_binds", lambda: None)
    suite = msgspec.convert(
        {"name": "adult", "expectations": [
            {"type": "expect_column_max_to_be_between", "kwargs": {"column": "age", "max_value": 89},
             "meta": {"axis": "accurate", "critical": True}},
            {"type": "expect_column_max_to_be_between", "kwargs": {"column": "age", "max_value": 90},
             "meta": {"axis": "accurate", "critical": True}},
        ]}, Suite,
    )  # fmt: skip
    store = Store(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(PublicationRefused) as refused:
        publish(
            ADULT, EXAMPLES / "adult" / "adult.csv.gz", store=store, pseudonymise=pseudonymise, consents=None,
            previous=None, limits=LIMITS, suite=suite,
        )  # fmt: skip
    assert (refused.value.code, refused.value.params) == (
        "quality.critical",
        {"failed": 1, "errors": 0, "places": "1"},
    )
    assert sorted(tmp_path.rglob("*")) == before
