"""What is left to whoever intersects: the same as sets say, and in memory that sets of many values do not fill."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import candidates
from catalog.candidates import Former, fewest, left_to_movers, narrowed
from catalog.cohorts import Ints
from tests.examples import tried

COLUMNS = 2
Sets = list[tuple[set[int], set[int]]]
VALUES = st.lists(st.tuples(*[st.sets(st.integers(1, 6))] * COLUMNS), min_size=1, max_size=5)


def pairs(sets: Sets) -> Ints:
    return np.array(
        sorted((o * COLUMNS + c) << 32 | v for o, both in enumerate(sets) for c in (0, 1) for v in both[c]),
        dtype=np.uint64,
    )


@pytest.fixture(autouse=True, scope="module")
def _few_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "_MOST_PAIRS", 3)
        yield


@settings(max_examples=tried(60), deadline=None)
@given(VALUES, VALUES, st.data())
def test_it_is_what_sets_have_in_common(held: Sets, past: Sets, data: st.DataObject) -> None:
    links = data.draw(st.lists(st.tuples(st.integers(0, len(held)), st.integers(0, len(past))), max_size=12))
    owner, source = (np.array([link[i] for link in links], dtype=np.int64) for i in (0, 1))
    told = [*past, (set(), set())]
    left: Sets = [
        tuple(mine.intersection(*(told[s][c] for o, s in links if o == n)) for c, mine in enumerate(both))  # type: ignore[misc]
        for n, both in enumerate(held)
    ]
    assert narrowed(pairs(held), owner, source, pairs(past), COLUMNS).tolist() == pairs(left).tolist()
    movers = [(o, [s for p, s in links if p == o]) for o in range(len(held)) if any(p == o for p, _ in links)]
    rows = np.array([10 * place for place, (_, atoms) in enumerate(movers) for _ in atoms], dtype=np.int64)
    before = Former(rows, np.array([s for _, atoms in movers for s in atoms], dtype=np.int64))
    of = np.array([o for o, _ in movers], dtype=np.int64)
    least = left_to_movers(pairs(held), of, 10 * np.arange(len(of)), before, pairs(past), COLUMNS)
    assert least.tolist() == fewest(pairs(left), len(held), COLUMNS)[of].tolist()


@pytest.mark.parametrize(("large", "small"), [(True, True), (False, False), (True, False)])
def test_many_who_move_between_cohorts_of_many_values_fill_no_memory(
    large: bool, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class in which ℓ needs large cohorts: each of its movers would be handed every value of it."""
    monkeypatch.setattr(candidates, "_MOST_PAIRS", 10_000)
    people = np.arange(4_000)

    def sets(one: bool) -> tuple[Ints, Ints]:
        """Where each stands, and what is shown there: all in one, or two by two."""
        stands = np.zeros(len(people), dtype=np.int64) if one else people // 2
        return stands, np.unique(stands.astype(np.uint64) << np.uint64(32) | people.astype(np.uint64))

    (cohort, held), (atom, core) = sets(large), sets(not small)
    tracemalloc.start()
    least = left_to_movers(held, cohort, people, Former(people, atom), core, 1)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(least.tolist()) == {2 if small or not large else len(people)}
    assert peak_bytes < 4_000_000
