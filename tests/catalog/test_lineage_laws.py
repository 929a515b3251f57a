"""The law of `catalog.lineage` over random histories of leavers, newcomers, changes, consents, withdrawals."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.errors import PublicationRefused
from catalog.publish import Publication
from catalog.storage import Store
from catalog.subjects import Subjects
from tests.catalog.conftest import pseudonymise
from tests.catalog.observer import Datum, fewest
from tests.catalog.plain import in_process
from tests.catalog.small import AGGREGATE_MANIFEST, MANIFEST, Row, publish_rows, said
from tests.examples import tried

K = 5
YES_NO = ("có", "không")


def person(draw: random.Random, number: int) -> Row:
    return [
        f"P{number:05d}", draw.choice(["Huế", "Huế", "Hà Nội"]), draw.choice(["cúm", "sởi"]),
        draw.choice(["", str(draw.randint(0, 9))]), draw.choice([*YES_NO, "có"]), draw.choice(YES_NO),
    ]  # fmt: skip


def step(draw: random.Random, rows: list[Row], known: list[Row], *, moves: bool) -> list[Row]:
    """Some leave, change or say otherwise, some come, some come back as they were."""
    after = [list(r) for r in rows if draw.random() > draw.choice([0.0, 0.03, 0.15])]
    for row in after:
        if draw.random() < 0.05:
            row[:] = (
                [row[0], *person(draw, 0)[1:4], *row[4:]] if moves else [*row[:2], *person(draw, 0)[2:4], *row[4:]]
            )
        if draw.random() < 0.05:
            row[draw.choice([4, 5])] = draw.choice(YES_NO)
    here = {r[0] for r in after}
    after += [list(r) for r in draw.sample(known, min(3, len(known))) if r[0] not in here]
    first = 1 + max(int(r[0][1:]) for r in known)
    return after + [person(draw, first + i) for i in range(draw.choice([0, 1, 4, 12]))]


def shown(
    store: Store, made: Publication, rows: list[Row], places: list[object], *, moves: bool
) -> dict[int, frozenset[Datum]]:
    """Who stands in each cohort, as what. Where nobody moves, a person is the same at whichever level."""
    names, cohort = Subjects(store.private(made.version.id) / "subjects.bin").all()
    called = dict(zip((n.tobytes() for n in names), cohort.tolist(), strict=True))
    found: dict[int, set[Datum]] = {}
    for row, name in zip(rows, pseudonymise([r[0] for r in rows]), strict=True):
        if name in called:
            number = called[name]
            what = (
                row[2],
                row[3] if made.version.mode == "aggregate" else "",
                str(places[number]) if moves else "",
            )
            found.setdefault(number, set()).add((row[0], what))
    return {number: frozenset(data) for number, data in found.items()}


def column(store: Store, made: Publication, name: str) -> list[object]:
    """What the files say of each cohort."""
    ranges = np.load(store.private(made.version.id) / "cohorts.npy").tolist()
    tables = [
        parquet.read_table(store.public(made.version.id) / p.name)[name].to_pylist() for p in made.version.parts
    ]
    return [tables[part][row] for part, row, _ in ranges]


def contributors(store: Store, made: Publication, cohorts: dict[int, frozenset[Datum]]) -> set[frozenset[Datum]]:
    """Of the cohorts that show the sum of the visits: whose visits these are."""
    counts = column(store, made, "visits__count")
    mine = {n: frozenset(datum for datum in data if datum[1][1]) for n, data in cohorts.items()}
    assert all(counts[n] in (None, len(mine[n])) for n in cohorts)
    return {mine[n] for n in cohorts if counts[n] is not None}


@settings(max_examples=tried(6), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["rows", "aggregate"]), st.integers(40, 110), st.booleans())
def test_no_combination_of_all_answers_ever_given_depends_on_fewer_than_k_persons(
    seed: int, mode: str, count: int, moves: bool
) -> None:
    draw = random.Random(seed)
    manifest = (MANIFEST if mode == "rows" else AGGREGATE_MANIFEST) + "max_left_out_share: 0.5\n"
    rows = [person(draw, i) for i in range(count)]
    known, ever, sums = list(rows), set[frozenset[Datum]](), set[frozenset[Datum]]()
    before: dict[Datum, object] = {}
    everybody: set[Datum] = set()
    previous: str | None = None
    with tempfile.TemporaryDirectory() as folder, in_process():
        store = Store(Path(folder) / "s")
        for _ in range(draw.randint(2, 5)):
            quitters = frozenset(pseudonymise([r[0] for r in draw.sample(rows, draw.choice([0, 1, 3]))]))
            try:
                made = publish_rows(
                    store,
                    Path(folder),
                    rows,
                    manifest=manifest,
                    previous=previous,
                    consents=said(withdrawn={"product.rnd": quitters}),
                )
            except PublicationRefused as refused:
                if refused.code not in (
                    "publication.all_wait",
                    "publication.too_identifying",
                    "publication.too_few_fall_back",
                ):
                    raise
            else:
                places = column(store, made, "place")
                cohorts = shown(store, made, rows, places, moves=moves)
                now = {datum: places[number] for number, data in cohorts.items() for datum in data}
                moved = Counter(place for _, place in before.items() ^ now.items())
                came = Counter(place for datum, place in now.items() if datum not in everybody)
                assert all(n >= K for n in (*moved.values(), *came.values()))
                ever |= set(cohorts.values())
                sums |= contributors(store, made, cohorts) if mode == "aggregate" else set()
                before, previous = now, made.version.id
                everybody |= set(now)
            rows = step(draw, rows, known, moves=moves)
            known += [r for r in rows if r not in known]
        assert fewest(ever, K) == K
        assert fewest(sums, K) == K


def test_the_observer_finds_the_one_where_versions_differ_by_one() -> None:
    """Else the law above could not fail."""
    people: list[Datum] = [(f"P{i}", ()) for i in range(12)]
    assert fewest([frozenset(people), frozenset(people[1:])], K) == 1
    assert fewest([frozenset(people[:6]), frozenset(people[6:]), frozenset(people[2:])], K) == 2
    assert fewest([frozenset(people[:6]), frozenset(people[6:]), frozenset(people)], K) == K
