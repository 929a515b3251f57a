"""The observer keeps every answer to every version and revision, and looks who could be the one that changed it.

Of 2,000 persons each changes, leaves, takes consent back for each purpose (a revision, then a version), and each
comes once more under another name, one at a time: alone, and where k − 1 wait for one more. Counted is whose data
make the difference of each class and purpose (`observer_files`); and whoever of a cohort it was, the files are the
same to the byte, so that nothing in them could tell who.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pytest

from catalog import regroup
from catalog.cohorts import Ints
from catalog.history import read_history
from catalog.jailed import forming
from catalog.past import Past
from catalog.publish import Publication
from catalog.storage import Store
from tests.attack.observer_files import DATUM_ROOM, PURPOSES, Files, fewest_moved
from tests.attack.observer_world import (
    AGGREGATE_MANIFEST,
    COUNT,
    MANIFEST,
    NAMES,
    WORLDS,
    K,
    Person,
    Played,
    State,
    World,
    person,
)
from tests.catalog.conftest import pseudonymise
from tests.catalog.plain import in_process
from tests.catalog.small import publish_rows

DRAW = random.Random(7)
PEOPLE = [person(DRAW, i) for i in range(COUNT)]
CHANGED = [
    (p[0], *person(DRAW, 0)[1:6], *p[6:]) if i % 2 else (*p[:4], "gan", 3, *p[6:]) for i, p in enumerate(PEOPLE)
]
WAITERS = [(f"W{i}", "Sa Pa", 20, "nam", ["cúm", "sởi"][i % 2], 1, "có", "có") for i in range(K - 1)]
"""Alike, newcomers, and one too few."""
EVERYBODY = np.arange(COUNT)
WAITING = 2 * COUNT + np.arange(K - 1)
Answer = Counter[tuple[Any, ...]]


def released(
    folder: Path, store: Store, rows: list[Person], mode: str, previous: str | None = None
) -> Publication:
    manifest = AGGREGATE_MANIFEST if mode == "aggregate" else MANIFEST
    return publish_rows(store, folder, rows, manifest=manifest, header=NAMES, previous=previous)


@dataclass(frozen=True)
class Scene:
    """The first version as its files show it, and the cohort of each person, −1 for who is not in it."""

    world: World
    first: Played
    cohort: Ints

    @property
    def mask(self) -> Ints:
        return self.world.mask[:COUNT]

    @property
    def files(self) -> Files:
        return self.first.files[0]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("observer")
    store = Store(folder / "store")
    with in_process():
        first = released(folder, store, PEOPLE, "aggregate")
    history = read_history(store.private(first.version.id))
    assert set(history.past.level.tolist()) == {0, 1, 2, 3}, "so that each level of generalisation is attacked"
    return scene_after(history.past, history.names)


def scene_after(past: Past, pseudonyms: Ints) -> Scene:
    called = {name: i for i, name in enumerate(pseudonymise([p[0] for p in PEOPLE]))}
    names = np.array([called[name.tobytes()] for name in pseudonyms])
    world = World([*PEOPLE, *CHANGED, *WAITERS], past, names)
    first = world.play([as_it_was(world)])
    inside = np.flatnonzero(world.mask[:COUNT] != 0)
    cohort = np.full(COUNT, -1)
    cohort[inside] = first.cohort
    return Scene(world, first, cohort)


def as_it_was(world: World) -> State:
    return State(EVERYBODY, EVERYBODY, world.mask[:COUNT])


def changed(scene: Scene, i: int) -> State:
    chosen = EVERYBODY.copy()
    chosen[i] += COUNT
    return State(chosen, EVERYBODY, scene.mask)


def left(scene: Scene, i: int) -> State:
    stay = np.delete(EVERYBODY, i)
    return State(stay, stay, scene.mask[stay])


def came(scene: Scene, i: int) -> State:
    """Somebody who is as `i` is."""
    return State(np.append(EVERYBODY, i), np.append(EVERYBODY, COUNT), np.append(scene.mask, scene.mask[i]))


def withdrew(scene: Scene, i: int, purpose: int) -> State:
    mask = scene.mask.copy()
    mask[i] &= ~purpose
    return State(EVERYBODY, EVERYBODY, mask)


def withdrew_all(scene: Scene, i: int) -> State:
    return withdrew(scene, i, int(scene.mask[i]))


def while_others_wait(scene: Scene, state: State) -> State:
    """The same, with WAITERS in the file."""
    return State(
        np.append(state.chosen, WAITING), np.append(state.called, WAITING),
        np.append(state.mask, scene.world.mask[WAITING]),
    )  # fmt: skip


def require_one_outcome(cohorts: Ints, files: Iterable[Files]) -> None:
    """Whoever of a cohort it is, the files are the same, to the byte."""
    found = {(int(c), f.told()) for c, f in zip(cohorts, files, strict=True)}
    assert len(found) == len(np.unique(cohorts))


def test_who_changes_is_one_of_k(scene: Scene) -> None:
    after = scene.world.files(changed(scene, i) for i in range(COUNT))
    could = [fewest_moved(scene.files, files) for files in after]
    differs = [i for i, n in enumerate(could) if n is not None]
    assert all(n is None or n >= K for n in could)
    assert (scene.cohort[differs] >= 0).all()
    assert len(differs) > COUNT / 2, "but for those whose other age, say, is of the same class"
    require_one_outcome(scene.cohort[differs], [after[i] for i in differs])


def test_where_k_less_one_wait_whoever_joins_them_is_one_of_k(scene: Scene) -> None:
    """By changing, or by coming: what is then seen of a sudden is k persons, though a count may have moved by
    one."""
    people = np.flatnonzero(scene.mask == 3)[:: COUNT // 250]
    quiet, *after = scene.world.files(
        while_others_wait(scene, state)
        for state in (as_it_was(scene.world), *(play(scene, int(i)) for play in (changed, came) for i in people))
    )
    assert quiet.told() == scene.files.told()
    could = [fewest_moved(scene.files, files) for files in after]
    assert all(n is None or n >= K for n in could)
    joined = [len(files.data) - len(scene.files.data) for files in after]
    assert joined[len(people) :] == [K] * len(people)
    assert any(n > -K for n in joined[: len(people)]), "one cohort went and one came"


def test_who_leaves_is_one_of_k(scene: Scene) -> None:
    after = scene.world.files(left(scene, i) for i in range(COUNT))
    could = [fewest_moved(scene.files, files) for files in after]
    assert all(n is None or n >= K for n in could)
    assert [n is not None for n in could] == (scene.cohort >= 0).tolist()
    require_one_outcome(scene.cohort, after)


def test_who_comes_is_not_seen(scene: Scene) -> None:
    after = scene.world.files(came(scene, i) for i in range(COUNT))
    assert all(fewest_moved(scene.files, files) is None for files in after)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_who_withdraws_is_one_of_k_in_the_revision_and_in_the_version_after_it(scene: Scene, purpose: int) -> None:
    people = np.flatnonzero((scene.mask & purpose) != 0)
    after = scene.world.files(withdrew(scene, int(i), purpose) for i in people)
    require_one_outcome(scene.cohort[people], after)
    for i, files in zip(people, after, strict=True):
        revision = without(scene, int(scene.cohort[i]), purpose)
        could = fewest_moved(scene.files, revision)
        assert could is None if scene.cohort[i] < 0 else could is not None and could >= K
        assert fewest_moved(revision, files) is None


def without(scene: Scene, cohort: int, purpose: int) -> Files:
    """The revision after a withdrawal: that purpose does not see that cohort."""
    rows, records = scene.first.rows.copy(), scene.first.records.copy()
    if cohort >= 0:
        rows[scene.first.cohort[scene.first.cohort >= 0] == cohort] &= ~purpose
        records[cohort] &= ~purpose
    data = scene.files.data
    gone = np.isin(
        data // int(np.prod(DATUM_ROOM[1:])), np.flatnonzero(scene.cohort == cohort) if cohort >= 0 else []
    )
    return Files(np.sort(rows), np.sort(records), np.where(gone, data & ~np.int64(purpose), data))


def test_worlds_that_are_played_side_by_side_are_as_each_of_them_alone(scene: Scene) -> None:
    some = np.flatnonzero(scene.cohort >= 0)[:: COUNT // 20]
    states = [as_it_was(scene.world), *(play(scene, int(i)) for i in some for play in (changed, left, came))]
    together, alone = scene.world.files(states), [scene.world.play([state]).files[0] for state in states]
    assert [(f.told(), f.data.tobytes()) for f in together] == [(f.told(), f.data.tobytes()) for f in alone]


def carry_the_rest(past: Past, row: Ints, *more: Any, **options: Any) -> regroup.Kept:
    """A cohort stays though somebody of it has left or changed."""
    alive = row >= 0
    per_datum = ("digest", "cohort", "atom", "again", "values", "contributes")
    return regroup.keep(
        replace(past, **{n: getattr(past, n)[alive] for n in per_datum}), row[alive], *more, **options
    )


def see_no_change(past: Past, now: Any, *, followed: bool) -> Ints:
    """Who has changed is shown as it is now, where it stood."""
    return past.row.astype(np.int64)


def take_newcomers_alone(order: Any, *more: Any) -> Any:
    """A newcomer is a cohort of one."""
    return LEVEL_BY_LEVEL(msgspec.structs.replace(order, k=1, l=1), *more)


LEVEL_BY_LEVEL = forming.level_by_level


@pytest.mark.parametrize(
    ("broken", "wrong", "play"),
    [("keep", carry_the_rest, left), ("keep", carry_the_rest, withdrew_all), ("living", see_no_change, changed),
     ("level_by_level", take_newcomers_alone, came)],
)  # fmt: skip
def test_where_the_rule_is_broken_the_observer_finds_the_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, broken: str, wrong: Callable[..., Any],
    play: Callable[[Scene, int], State],
) -> None:  # fmt: skip
    """Else the tests above could not fail."""
    monkeypatch.setattr(forming, broken, wrong)
    people = np.flatnonzero(scene.cohort >= 0)[:WORLDS]
    could = [fewest_moved(scene.files, f) for f in scene.world.files(play(scene, int(i)) for i in people)]
    assert any(n is not None and n < K for n in could)


def test_in_a_version_made_afresh_the_observer_finds_the_one(scene: Scene) -> None:
    afresh = World([*PEOPLE, *CHANGED])
    people = np.flatnonzero(scene.cohort >= 0)[:20]
    could = [fewest_moved(scene.files, f) for f in afresh.files(left(scene, int(i)) for i in people)]
    assert any(n is not None and n < K for n in could)


@pytest.mark.parametrize("mode", ["rows", "aggregate"])
def test_the_files_that_a_query_reads_are_those(scene: Scene, tmp_path: Path, mode: str) -> None:
    """Published for real and asked in SQL: one state in aggregate mode, through the jails; more in rows mode."""
    store, i = Store(tmp_path / "store"), int(np.flatnonzero(scene.cohort >= 0)[7])
    another = ("P99999", *PEOPLE[i][1:])
    states = [[*PEOPLE[:i], *PEOPLE[i + 1 :]], [*PEOPLE[:i], CHANGED[i], *PEOPLE[i + 1 :]], [*PEOPLE, another]]
    with in_process() if mode == "rows" else nullcontext():
        first = released(tmp_path, store, PEOPLE, mode)
        chosen = states if mode == "rows" else states[:1]
        later = [released(tmp_path, store, rows, mode, first.version.id) for rows in chosen]
    gone = store.cohort_of(first.version.id, pseudonymise([PEOPLE[i][0]])[0])
    assert gone is not None
    before, revised = asked(store, first, mode, frozenset()), asked(store, first, mode, frozenset({gone}))
    wanted = [revised, revised, before]
    assert [asked(store, each, mode, frozenset()) for each in later] == wanted[: len(later)]
    assert K <= people_of(before - revised, mode) < 4 * K
    assert not revised - before
    if mode == "aggregate":
        shown = (scene.cohort >= 0) & (scene.mask & 1 != 0)
        assert people_of(before, mode) == shown.sum() == np.count_nonzero(scene.files.rows & 1)


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
