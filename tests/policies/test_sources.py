"""The sources as they are committed: formatted, strict, covered, linted, and the module made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies import build, checks, sources
from policies.build import BuildFailed
from policies.laws import laws


@pytest.fixture
def copied(copied_policy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy, which everything here takes for the policy itself."""
    for module in (sources, build, checks):
        monkeypatch.setattr(module, "FOLDER", copied_policy)
    return copied_policy


def test_building_twice_gives_the_same_bytes_wherever_the_sources_lie(opa: Path, copied: Path) -> None:
    here = build.wasm(opa)
    assert here == (copied / "policy.wasm").read_bytes() == build.wasm(opa)


def test_a_rule_without_a_test_is_told(opa: Path, copied: Path) -> None:
    path = copied / "access" / "rows.rego"
    path.write_text(path.read_text() + '\nspare if input.agreement.id == "nobody"\n')
    told = checks.coverage(opa)
    assert told.startswith("coverage 9")
    assert "rows.rego" in told


def test_a_rule_that_decides_otherwise_fails_its_tests(opa: Path, copied: Path) -> None:
    path = copied / "access" / "agreement.rego"
    path.write_text(path.read_text().replace("input.at_ms >= input.agreement", "input.at_ms > input.agreement"))
    assert "expired this instant" in checks.tests(opa)


def test_sources_that_opa_refuses_say_why(opa: Path, copied: Path) -> None:
    (copied / "access" / "broken.rego").write_text("package access\n\nallow if nowhere\n")
    with pytest.raises(BuildFailed, match="nowhere"):
        build.wasm(opa)


def test_the_revision_changes_with_any_source(copied: Path) -> None:
    before = sources.revision()
    path = copied / "data" / "law.json"
    path.write_text(path.read_text().replace('"k_floor": 5', '"k_floor": 6'))
    assert sources.revision() != before


def test_the_revision_does_not_change_with_a_test(copied: Path) -> None:
    before = sources.revision()
    (copied / "access" / "more_test.rego").write_text("package more_test\n")
    assert sources.revision() == before


def test_every_law_is_told_in_both_languages() -> None:
    for id, entries in laws().items():
        for law in entries:
            assert law.words("vi").article == law.article, id
            english = law.words("en")
            assert english.article.isascii(), id
            assert english.value != law.value, id
