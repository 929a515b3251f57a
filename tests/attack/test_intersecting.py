"""Observers who know more of one person than answers tell: that she moved, when she came, to what she consents.

One subtracts what a purpose sees of two versions and looks at who went or came; one keeps, of each person, the
values that every cohort showed in which she stood. Both must be left with ℓ values of anybody.
"""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog import candidates, regroup
from catalog.errors import PublicationRefused
from catalog.publish import Publication
from catalog.storage import Store
from catalog.subjects import Subjects
from tests.catalog.conftest import pseudonymise
from tests.catalog.plain import in_process
from tests.catalog.small import MANIFEST, Row, publish_rows
from tests.examples import tried

L = 2
PURPOSES = ("research.academic", "product.rnd")
ROOMY = MANIFEST + "max_left_out_share: 0.5\n"
Seen = dict[str, tuple[int, str | None, frozenset[str], str]]
"""Key → cohort, place as shown, for what it is shown, illness (blank: not told)."""


def person(draw: random.Random, number: int, product: str | None = None) -> Row:
    """Of one who consents to products the illness is mostly the same."""
    product = product or draw.choice(["có", "không"])
    ill = ["cúm"] * 8 + ["sởi", "lao"] if product == "có" else ["cúm", "sởi", "lao", "gan"]
    return [f"P{number:05d}", draw.choice(["Huế", "Hà Nội"]), draw.choice(ill), "1", "có", product]


def seen(store: Store, made: Publication, rows: list[Row]) -> Seen:
    """How a version shows everybody; the values of a cohort are dealt out as its persons have them."""
    folder, version = store.private(made.version.id), made.version
    names, cohort = Subjects(folder / "subjects.bin").all()
    number = dict(zip((n.tobytes() for n in names), cohort.tolist(), strict=True))
    ranges = np.load(folder / "cohorts.npy").tolist()
    tables = [parquet.read_table(store.public(version.id) / p.name) for p in version.parts]
    told = [tables[part].slice(begin, end - begin) for part, begin, end in ranges]
    places = [table["place"][0].as_py() for table in told]
    values = [set(table["illness"].to_pylist()) for table in told]
    return {
        row[0]: (
            at, places[at], frozenset(version.parts[ranges[at][0]].consented or ()),
            row[2] if row[2] in values[at] else "",
        )
        for row, name in zip(rows, pseudonymise([r[0] for r in rows]), strict=True)
        if (at := number.get(name, -1)) >= 0
    }  # fmt: skip


def later(draw: random.Random, rows: list[Row], known: int) -> list[Row]:
    """Many leave, some move and stay as ill as they were, some say otherwise, some come."""
    share = draw.choice([0.02, 0.2])
    after = [list(r) for r in rows if draw.random() >= share]
    for row in after:
        if draw.random() < 0.1:
            row[1] = "Huế" if row[1] == "Hà Nội" else "Hà Nội"
        if draw.random() < 0.1:
            row[5] = draw.choice(["có", "không"])
    return after + [person(draw, known + i) for i in range(draw.choice([0, 6, 14]))]


def history(seed: int, versions: int) -> Iterator[Seen]:
    draw = random.Random(seed)
    rows = [person(draw, i) for i in range(draw.randint(50, 110))]
    known, previous = len(rows), None
    with tempfile.TemporaryDirectory() as folder, in_process():
        store = Store(Path(folder) / "s")
        for _ in range(versions):
            try:
                made = publish_rows(store, Path(folder), rows, manifest=ROOMY, previous=previous)
            except PublicationRefused as refused:
                if refused.code not in (
                    "publication.all_wait",
                    "publication.too_identifying",
                    "publication.too_few_fall_back",
                ):
                    raise
            else:
                previous = made.version.id
                yield seen(store, made, rows)
            rows = later(draw, rows, known)
            known += 14


def fewest_by_intersection(versions: list[Seen]) -> int:
    """How many values are left of the person of whom least are, to whoever knows each cohort in which she
    stood."""
    left: dict[str, set[str]] = {}
    for version in versions:
        values = defaultdict(set)
        for cohort, _, _, ill in version.values():
            values[cohort].add(ill)
        for key, (cohort, *_) in version.items():
            told = values[cohort] - {""}
            left[key] = left[key] & told if key in left else told
    return min(len(values) for values in left.values())


def fewest_by_subtraction(before: Seen, after: Seen) -> int:
    """How many values those have who went from, or came to, what one purpose sees of one class."""
    moved: dict[tuple[str, str | None, bool], set[str]] = defaultdict(set)
    for purpose in PURPOSES:
        was, now = ({(k, v[1], v[3]) for k, v in s.items() if purpose in v[2]} for s in (before, after))
        for _, place, ill in was ^ now:
            moved[purpose, place, (_, place, ill) in was].add(ill)
    return min((len(values - {""}) for values in moved.values()), default=L)


@settings(max_examples=tried(5), deadline=None)
@given(st.integers(0, 2**32))
def test_whoever_intersects_what_a_person_stood_in_is_left_with_l_values(seed: int) -> None:
    """Movers, newcomers, those who came back: over five versions; and over the first two who went for each
    purpose."""
    versions = list(history(seed, 5))
    assert fewest_by_intersection(versions) >= L
    if len(versions) > 1:
        assert fewest_by_subtraction(*versions[:2]) >= L


def test_a_register_whose_values_change_is_shown_again(tmp_path: Path) -> None:
    """Nothing lasts that could be intersected: none of her cohorts tells anything of another."""
    draw, store, previous = random.Random(1), Store(tmp_path / "s"), None
    rows = [[f"P{i:05d}", "Huế", "cúm", "1", "có", "có"] for i in range(200)]
    with in_process():
        for version in range(3):
            for row in rows:
                row[2] = f"bệnh {draw.randrange(8)} {version}"
            made = publish_rows(store, tmp_path, rows, manifest=ROOMY, previous=previous)
            previous = made.version.id
            assert made.version.persons == len(rows)


def _pool_all_purposes(patch: pytest.MonkeyPatch) -> None:
    def for_one(past: Any, data: Any, to: Any, masks: Any, *more: Any, **options: Any) -> candidates.Pools:
        alike = replace(past, purposes=np.ones_like(past.purposes))
        return candidates.pools(alike, data, to, np.ones_like(masks), *more, **options)

    patch.setattr(regroup, "pools", for_one)


def _never_intersect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(candidates, "narrowed", lambda held, *_: held)


@pytest.mark.parametrize(
    ("defect", "seed", "versions", "fewest"),
    [(_never_intersect, 1, 5, fewest_by_intersection),
     (_pool_all_purposes, 3, 2, lambda versions: fewest_by_subtraction(*versions))],
)  # fmt: skip
def test_without_the_rule_the_observer_learns_the_one_value(
    defect: Callable[[pytest.MonkeyPatch], None], seed: int, versions: int, fewest: Callable[[list[Seen]], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Else the law above could not fail. The broker's own check would refuse such a version: it is off."""
    monkeypatch.setattr("catalog.pipeline.stages.recheck", lambda *_: None)
    defect(monkeypatch)
    assert fewest(list(history(seed, versions))) == 1
