"""The observer keeps every answer to every version and revision, and looks who could be the one that changed it.

Of 2,000 persons each changes, leaves, takes consent back for each purpose (a revision, then a version), and others
come, one at a time. All one- to three-way tables of rows, counts and sums are compared, before and after.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from catalog.cohorts import Ints
from catalog.history import read_history
from catalog.jailed.forming import Formed, Persons, form_cohorts
from catalog.past import Past
from catalog.publish import Publication, publish
from catalog.storage import Store
from tests.attack.observer_world import (
    COUNT,
    MANIFEST,
    MEASURE,
    NAMES,
    Files,
    K,
    Person,
    World,
    files_of,
    person,
    tables_that_differ,
)
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.plain import in_process

NEWCOMERS = 200
ILLNESS = 3
DRAW = random.Random(4)
PEOPLE = [person(DRAW, i) for i in range(COUNT)]
CHANGED = [
    (p[0], *person(DRAW, 0)[1:6], *p[6:]) if i % 2 else (*p[:4], "gan", 3, *p[6:]) for i, p in enumerate(PEOPLE)
]
COMERS = [person(DRAW, COUNT + i) for i in range(NEWCOMERS)]
EVERYBODY = np.arange(COUNT)
Answer = Counter[tuple[Any, ...]]


def released(folder: Path, store: Store, rows: list[Person], mode: str, **more: object) -> Publication:
    file = folder / "rows.csv"
    lines = [NAMES, *(["" if v is None else str(v) for v in row] for row in rows)]
    file.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding="utf-8")
    manifest = MANIFEST.replace("MODE", mode) + (MEASURE if mode == "aggregate" else "")
    call = partial(publish, manifest, file, store=store, pseudonymise=pseudonymise, consented=None, limits=LIMITS)
    return call(**({"previous": None} | more))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Scene:
    """The first version, and how each person stands in it: column by column the code shown, −2 for who is not."""

    world: World
    past: Past
    names: Ints
    persons: Persons
    formed: Formed
    files: Files
    stands: list[Ints]
    cohort: Ints

    def next(self, chosen: Ints, called: Ints, mask: Ints) -> tuple[Persons, Formed]:
        return self.world.next(self.past, self.names, chosen, called, mask)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("observer")
    store = Store(folder / "store")
    with in_process():
        first = released(folder, store, PEOPLE, "aggregate")
    history = read_history(store.private(first.version.id))
    called = {name: i for i, name in enumerate(pseudonymise([p[0] for p in PEOPLE]))}
    names = np.array([called[name.tobytes()] for name in history.names])
    world = World([*PEOPLE, *CHANGED, *COMERS])
    persons, formed = world.next(history.past, names, EVERYBODY, EVERYBODY, world.mask[:COUNT])
    inside = np.flatnonzero(world.mask[:COUNT] != 0)
    stands, cohort = np.full((COUNT, 4), -2), np.full(COUNT, -1)
    cohort[inside] = formed.cohort
    files = files_of(persons, formed)
    stands[inside[formed.cohort >= 0]] = files.rows
    return Scene(world, history.past, names, persons, formed, files, list(stands.T.copy()), cohort)


def suspects(scene: Scene, before: Files, after: Files, purpose: int) -> int | None:
    """How many persons of the first version could be the one; None where nothing differs."""
    could, seen = np.ones(COUNT, dtype=bool), False
    for cells in tables_that_differ(before, after, purpose):
        seen = True
        among = np.zeros(COUNT, dtype=bool)
        for cell, amount in cells.items():
            among |= np.logical_and.reduce([scene.stands[column] == code for column, code in cell])
            assert abs(amount[0]) >= K or any(column == ILLNESS for column, _ in cell)
        could &= among
    return int(could.sum()) if seen else None


def check(scene: Scene, before: Files, after: Files) -> bool:
    """Whether anything differs; if so, k persons could be the one."""
    found = [suspects(scene, before, after, purpose) for purpose in (1, 2)]
    assert all(n is None or n >= K for n in found)
    return any(n is not None for n in found)


def test_who_changes_is_one_of_k(scene: Scene) -> None:
    differs = []
    for i in range(COUNT):
        chosen = EVERYBODY.copy()
        chosen[i] += COUNT
        after = files_of(*scene.next(chosen, EVERYBODY, scene.world.mask[:COUNT]))
        differs += [i] if check(scene, scene.files, after) else []
    assert (scene.cohort[differs] >= 0).all()
    assert len(differs) > COUNT / 2, "but for those whose other age, say, is of the same class"


def test_who_leaves_is_one_of_k(scene: Scene) -> None:
    """One of each cohort, and of those who are not shown."""
    for i in np.unique(scene.cohort, return_index=True)[1]:
        stay = np.delete(EVERYBODY, i)
        after = files_of(*scene.next(stay, stay, scene.world.mask[stay]))
        assert check(scene, scene.files, after) == (scene.cohort[i] >= 0)


def test_who_comes_is_not_seen(scene: Scene) -> None:
    for j in range(NEWCOMERS):
        chosen = np.append(EVERYBODY, 2 * COUNT + j)
        after = files_of(*scene.next(chosen, np.append(EVERYBODY, COUNT + j), scene.world.mask[chosen]))
        assert not check(scene, scene.files, after)


def test_who_withdraws_is_one_of_k_in_the_revision_and_in_the_version_after_it(scene: Scene) -> None:
    """All of a cohort have the same revision and next version: one of each stands for them, for each purpose."""
    rows = scene.formed.cohort[scene.formed.cohort >= 0]
    for i in np.unique(scene.cohort, return_index=True)[1]:
        cohort = scene.cohort[i]
        for purpose in (p for p in (1, 2) if scene.world.mask[i] & p):
            mask = scene.world.mask[:COUNT].copy()
            mask[i] &= ~purpose
            after = files_of(*scene.next(EVERYBODY, EVERYBODY, mask))
            if cohort < 0:
                assert not check(scene, scene.files, after)
                continue
            revision = without(scene.files, rows, cohort, purpose)
            assert check(scene, scene.files, revision)
            assert not check(scene, revision, after)


def without(files: Files, cohort_of_rows: Ints, cohort: int, purpose: int) -> Files:
    """The revision after a withdrawal: that purpose does not see that cohort."""
    row_masks, record_masks = files.row_masks.copy(), files.record_masks.copy()
    row_masks[cohort_of_rows == cohort] &= ~purpose
    record_masks[cohort] &= ~purpose
    return Files(files.rows, row_masks, files.records, record_masks)


def test_in_a_version_made_afresh_the_observer_finds_the_one(scene: Scene) -> None:
    """Else the tests above could not fail."""
    found = []
    for i in np.flatnonzero(scene.cohort >= 0)[:20]:
        stay = np.flatnonzero((scene.world.mask[:COUNT] != 0) & (np.arange(COUNT) != i))
        persons = scene.world.persons(stay, scene.world.mask[stay])
        afresh = files_of(persons, form_cohorts(scene.world.order, persons, None))
        found += [
            sum(abs(a[0]) for a in cells.values())
            for cells in tables_that_differ(scene.files, afresh, 1)
            if len(cells) == 1
        ]
    assert min(found) < K


@pytest.mark.parametrize("mode", ["rows", "aggregate"])
def test_the_files_that_a_query_reads_are_those(scene: Scene, tmp_path: Path, mode: str) -> None:
    """Published for real and asked in SQL: one state in aggregate mode, through the jails; more in rows mode."""
    store, i = Store(tmp_path / "store"), int(np.flatnonzero(scene.cohort >= 0)[7])
    states = [[*PEOPLE[:i], *PEOPLE[i + 1 :]], [*PEOPLE[:i], CHANGED[i], *PEOPLE[i + 1 :]], [*PEOPLE, *COMERS[:1]]]
    with in_process() if mode == "rows" else nullcontext():
        first = released(tmp_path, store, PEOPLE, mode)
        chosen = states if mode == "rows" else states[:1]
        later = [released(tmp_path, store, rows, mode, previous=first.version.id) for rows in chosen]
    gone = store.cohort_of(first.version.id, pseudonymise([PEOPLE[i][0]])[0])
    assert gone is not None
    before, revised = asked(store, first, mode, frozenset()), asked(store, first, mode, frozenset({gone}))
    wanted = [revised, revised, before]
    assert [asked(store, each, mode, frozenset()) for each in later] == wanted[: len(later)]
    assert K <= people_of(before - revised, mode) < 4 * K
    assert not revised - before
    if mode == "aggregate":
        shown = (scene.cohort >= 0) & (scene.world.mask[:COUNT] & 1 != 0)
        assert people_of(before, mode) == shown.sum() == (scene.files.row_masks & 1 != 0).sum()


def people_of(answer: Answer, mode: str) -> int:
    return sum(times * (row[3] if mode == "aggregate" else 1) for row, times in answer.items())


def asked(store: Store, made: Publication, mode: str, excluded: frozenset[int]) -> Answer:
    """Every answer at once, as SQL gives it over what the jail may read."""
    revision = store.revision(
        made.version.id, purpose="research.academic", excluded=excluded, number=len(excluded)
    )
    last = "illness" if mode == "rows" else "n, visits__sum"
    with duckdb.connect() as connection:
        found = connection.execute(f"select place, age, sex, {last} from read_parquet({list(revision.parts)})")
        return Counter(found.fetchall())
