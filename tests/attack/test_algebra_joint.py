"""Two owners' persons in one dataset, version after version: what follows from all its records is of k persons.

Every answer is a sum over whole records of the files (`tests.attack.test_algebra` asks them); so here what each
record says is an equation, which is more than any analyst gets.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.cohorts import form
from catalog.errors import PublicationRefused
from catalog.jailed import forming
from catalog.subjects import Subjects
from catalog.version import Version
from catalog.wire import MeasureReply
from tests.catalog.conftest import pseudonymise
from tests.catalog.joint.halves import Pair
from tests.catalog.observer import fewest_behind
from tests.catalog.plain import in_process
from tests.catalog.small import Row

K = 5
FIGURES = {"n": None, "visits__sum": 2, "income__sum": 4}


def patient(draw: random.Random, name: str) -> Row:
    return [name, draw.choice(["Huế", "Huế", "Hà Nội"]), draw.choice(["cúm", "sởi"]), str(draw.randint(1, 9)),
            "có", draw.choice(["có", "không"])]  # fmt: skip


def client(draw: random.Random, name: str) -> Row:
    return [name, draw.choice(["thợ", "thầy"]), str(draw.randint(1, 99)), "có", "có"]


class Two:
    """What two owners know, as it changes, and the equations that their joint dataset gave away."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self.pair, self.draw = Pair(folder), draw
        lenient = "mode: aggregate\nmax_left_out_share: 0.5"
        self.pair.clinic = self.pair.clinic.replace("mode: aggregate", lenient)
        self.pair.bank = self.pair.bank.replace("mode: aggregate", lenient)
        self.people = [f"P{i:05d}" for i in range(draw.randint(60, 110))]
        self.ours = {name: patient(draw, name) for name in self.people if draw.random() < 0.9}
        self.theirs = {name: client(draw, name) for name in self.people if draw.random() < 0.9}
        self.previous: str | None = None
        self.equations: list[dict[tuple[str, tuple[str, ...], str], float]] = []

    def publish(self) -> None:
        try:
            joint = self.pair.join([*self.ours.values()], [*self.theirs.values()], previous=self.previous)
        except PublicationRefused as refused:
            if refused.code not in ("publication.all_wait", "publication.joint_not_formed"):
                raise
            return
        self.previous = joint.publication.version.id
        self.equations += self._records(joint.publication.version)

    def change(self) -> None:
        """Some leave one file or both, some come, some are another way."""
        for known in (self.ours, self.theirs):
            leaving = self.draw.choice([0.0, 0.02, 0.2])
            for name in [n for n in known if self.draw.random() < leaving]:
                del known[name]
        for i in range(self.draw.choice([0, 1, 9])):
            name = f"N{len(self.people) + i:05d}"
            self.people.append(name)
            self.ours[name], self.theirs[name] = patient(self.draw, name), client(self.draw, name)

    def _records(self, version: Version) -> Iterator[dict[tuple[str, tuple[str, ...], str], float]]:
        names, number = Subjects(self.pair.store.private(version.id) / "subjects.bin").all()
        called = dict(zip((n.tobytes() for n in names), number.tolist(), strict=True))
        cohorts: dict[int, list[str]] = {}
        for name in self.people:
            if (key := pseudonymise([name])[0]) in called:
                cohorts.setdefault(called[key], []).append(name)
        parts = [
            parquet.read_table(self.pair.store.public(version.id) / p.name).to_pylist() for p in version.parts
        ]
        ranges = np.load(self.pair.store.private(version.id) / "cohorts.npy").tolist()
        for cohort, (part, at, _) in enumerate(ranges):
            record = parts[part][at]
            for figure, place in FIGURES.items():
                if record[figure] is None:
                    continue
                row = {
                    (name, known, figure): 1.0 if place is None else float(known[place])
                    for name in cohorts[cohort] for known in [self._known(name)]
                }  # fmt: skip
                assert sum(row.values()) == pytest.approx(record[figure])
                yield row

    def _known(self, name: str) -> tuple[str, ...]:
        ours, theirs = self.ours[name], self.theirs[name]
        return (*map(str, ours[1:4]), *map(str, theirs[1:3]))

    def fewest(self) -> int:
        """Persons behind the narrowest figure that follows; those of a value of zero are no unknowns of it."""
        unknowns = list(dict.fromkeys(u for row in self.equations for u in row))
        place = {u: i for i, u in enumerate(unknowns)}
        found = np.zeros((len(self.equations), len(unknowns)))
        for equation, row in zip(found, self.equations, strict=True):
            for unknown in row:
                equation[place[unknown]] = 1
        return fewest_behind(found, [name for name, _, _ in unknowns], K)


def play(folder: Path, draw: random.Random, versions: int) -> Two:
    two = Two(folder, draw)
    for _ in range(versions):
        two.publish()
        two.change()
    return two


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32), versions=st.integers(1, 3))
def test_nothing_that_a_joint_dataset_tells_is_of_fewer_than_k_persons(seed: int, versions: int) -> None:
    with tempfile.TemporaryDirectory() as folder, in_process():
        two = play(Path(folder), random.Random(seed), versions)
    assert two.fewest() == K


def test_cohorts_of_one_fewer_are_found(tmp_path: Path) -> None:
    """Else the law above could not fail. The exchange's own checks would refuse such a version: they are off."""
    unchecked = lambda manifest, intake, made, *_: MeasureReply(  # noqa: E731
        k=K, l=2, rows=made.reply.rows, persons=made.reply.persons
    )
    with in_process(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("catalog.joint.publish.recheck", lambda *_: None)
        patch.setattr("catalog.joint.publish.measure", unchecked)
        patch.setattr(forming, "form", lambda *a, k, **more: form(*a, k=k - 1, **more))
        found = []
        for seed in range(6):
            (folder := tmp_path / str(seed)).mkdir()
            found.append(play(folder, random.Random(seed), 1).fewest())
    assert min(found) < K
