"""More ways to single out one person: by a gap between two versions, by consent taken back and given again, by a
dataset beside the first; each tried with what the attacker knows, and once with the defence off."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from catalog import candidates
from catalog.storage import Store
from tests.attack.test_intersecting import Seen, fewest_by_intersection, seen
from tests.catalog.plain import in_process
from tests.catalog.small import MANIFEST, Row, people, publish_rows

K = 5
SHE, NEVER = "P00001", "không"
NEIGHBOURS = [[f"N{i:05d}", "Huế", "gan", "1", "có", "có"] for i in range(K)]
"""Newcomers where she goes, of one illness that nobody had before."""


def elsewhere(row: Row) -> Row:
    return [row[0], "Huế", row[2], row[3], "có", "có"]


def without(rows: list[Row]) -> list[Row]:
    return [r for r in rows if r[0] != SHE]


def silent(rows: list[Row]) -> list[Row]:
    return [[*r[:4], NEVER, NEVER] if r[0] == SHE else r for r in rows]


def played(folder: Path, between: list[list[Row]], after: list[Row]) -> list[Seen]:
    """All versions as an observer sees them: the register, what lies between, and she in another place."""
    store, found, previous = Store(folder / "s"), list[Seen](), None
    with in_process():
        for rows in [people(), *between, after]:
            made = publish_rows(store, folder, rows, previous=previous)
            found.append(seen(store, made, rows))
            previous = made.version.id
    return found


GAPS = {
    "at once": [],
    "after a version without her": [without(people())],
    "after she said no to all": [silent(people())],
}


@pytest.mark.parametrize("between", GAPS.values(), ids=GAPS)
def test_who_turns_up_elsewhere_is_not_told_by_what_both_places_show(
    tmp_path: Path, between: list[list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    after = [elsewhere(r) if r[0] == SHE else r for r in people()] + NEIGHBOURS
    versions = played(tmp_path, between, after)
    assert SHE in versions[0]
    assert SHE not in versions[-1], "with her neighbours she would be the one whose illness was seen before"
    assert fewest_by_intersection(versions) >= 2
    monkeypatch.setattr("catalog.pipeline.stages.recheck", lambda *_: None)
    monkeypatch.setattr(candidates, "narrowed", lambda held, *_: held)
    (tmp_path / "off").mkdir()
    assert fewest_by_intersection(played(tmp_path / "off", between, after)) == 1, "else this could not fail"


def test_a_dataset_beside_the_first_that_lacks_one_does_not_tell_her(tmp_path: Path) -> None:
    """Both can be asked; the second is made of the same lineage, so it lacks her cohort and no less."""
    store, rows = Store(tmp_path / "s"), people()
    with in_process():
        release = partial(publish_rows, store, tmp_path)
        first = release(rows)
        beside = release(
            without(rows), manifest=MANIFEST.replace("slug: small", "slug: beside"), previous=first.version.id
        )
        one, other = seen(store, first, rows), seen(store, beside, rows)
    gone = one.keys() - other.keys()
    assert SHE in gone
    assert gone == {key for key, told in one.items() if told[0] == one[SHE][0]}
    assert len(gone) >= K
    assert not other.keys() - one.keys()
