"""What two released versions say together, worked by hand and through a real jail."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from catalog.publish import Publication
from catalog.risk.combination import combine, word_of
from catalog.risk.figures import Combined
from catalog.storage import Store
from catalog.version import Version
from marketplace.cli import combination
from marketplace.cli.main import main
from sandbox.job import SandboxFailed
from tests.catalog.conftest import LIMITS
from tests.catalog.plain import in_process
from tests.catalog.small import COLUMNS, HEAD, people, publish_rows

HALF = "- {name: half, role: quasi-identifier, meaning: {vi: Nửa, en: Half}}\n  - {name: illness"
HALVES = HEAD + COLUMNS.replace("- {name: illness", HALF)
NAMES = ["key", "place", "illness", "half", "study", "product"]


def files_of(store: Store, published: Publication) -> list[Path]:
    return [store.public(published.version.id) / p.name for p in published.version.parts]


def joined(store: Store, first: Publication, second: Publication) -> Combined:
    return combine(first.version, files_of(store, first), second.version, files_of(store, second), LIMITS)


def parted(rows: list[list[str]], half: str) -> list[list[str]]:
    """In each place one half is "a", the other "b"; of which persons depends on `half`."""
    return [[*row[:3], "a" if (i // 3 + (i // 6 if half == "other" else 0)) % 2 else "b", *row[4:]]
            for i, row in enumerate(rows)]  # fmt: skip


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Publication, Publication, Publication]:
    """240 persons of three places, 80 each: in two halves of 40 in each place; in other halves under another name;
    and those again, of k = 10, with the place under another name too."""
    folder = tmp_path_factory.mktemp("combination")
    store, rows = Store(folder / "store"), [[*row[:4], "có", "có"] for row in people(240)]

    def published(which: str, changed: dict[str, str]) -> Publication:
        manifest, names = HALVES.replace("k: 5", "k: 10") if len(changed) > 1 else HALVES, NAMES
        for old, new in changed.items():
            manifest = manifest.replace(f"name: {old}", f"name: {new}")
            names = [new if name == old else name for name in names]
        with in_process():
            return publish_rows(store, folder, parted(rows, which), manifest=manifest, header=names)

    other = {"half": "side"}
    return store, published("first", {}), published("other", other), published("other", other | {"place": "town"})


def test_two_halves_of_a_place_meet_in_quarters(
    three: tuple[Store, Publication, Publication, Publication],
) -> None:
    found = joined(*three[:3])
    assert (found.shared, found.k, found.matched_share) == (("place",), 5, 1.0)
    assert found.persons == pytest.approx(240)
    assert found.likely_class == pytest.approx(40 * 40 / 80)
    assert (found.below_k_share, found.uncertain_share) == (0, 1), (
        "20 are likely, none is sure: the halves may be two"
    )
    assert found.alone == pytest.approx(240 * math.exp(-20))
    assert word_of(found) == "publication.combination_wide"


def test_a_version_with_itself_has_its_own_classes(
    three: tuple[Store, Publication, Publication, Publication],
) -> None:
    store, first, _, _ = three
    found = joined(store, first, first)
    assert found.shared == ("place", "half")
    assert found.likely_class == pytest.approx(40)
    assert (found.below_k_share, found.uncertain_share) == (0, 0), "equal classes are the same persons for sure"


def test_without_a_shared_column_classes_meet_in_thin_ones_and_the_owner_is_warned(
    three: tuple[Store, Publication, Publication, Publication],
) -> None:
    store, first, _, strangers = three
    found = joined(store, first, strangers)
    assert (found.shared, found.k, found.below_k_share) == ((), 10, 1)
    assert found.likely_class == pytest.approx(40 * 40 / 240)
    assert word_of(found) == "publication.combination_narrow"


def test_the_command_says_that_there_is_nothing_to_join_by(
    three: tuple[Store, Publication, Publication, Publication],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store, first, _, strangers = three

    async def versions(*_: object) -> tuple[Version, ...]:
        return first.version, strangers.version

    monkeypatch.setattr(combination, "_versions", versions)
    monkeypatch.setenv("SANDULIEU_HOME", str(store.public(first.version.id).parents[2]))
    assert main(["catalog", "together", "one", "other"]) == 1
    vi, en = capsys.readouterr().err.splitlines()
    assert vi.startswith("Không có cột nào cùng tên và cùng kiểu để ghép với other.")
    assert "240 of 240 persons" in en


def test_the_command_tells_of_files_that_broke_their_jail_as_files(
    three: tuple[Store, Publication, Publication, Publication],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store, first, second, _ = three

    async def versions(*_: object) -> tuple[Version, ...]:
        return first.version, second.version

    async def broken_off(_: object) -> None:
        raise SandboxFailed("sandbox.memory", entered=True)

    monkeypatch.setattr(combination, "_versions", versions)
    monkeypatch.setattr("sandbox.isolation.oneshot.open_jail", broken_off)
    monkeypatch.setenv("SANDULIEU_HOME", str(store.public(first.version.id).parents[2]))
    assert main(["catalog", "together", "one", "other"]) == 1
    assert "The file needed too much memory" in capsys.readouterr().err
