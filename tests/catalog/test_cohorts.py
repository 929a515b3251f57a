"""Laws of forming cohorts (invariant 3)."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.cohorts import MISSING, Codes, class_keys, form
from tests.examples import tried

Person = tuple[int, int, int]
PERSONS = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3), st.integers(0, 2)), min_size=0, max_size=150)


def formed(
    persons: list[Person],
    k: int,
    l: int,
    columns: int,
) -> tuple[dict[int, list[Person]], int]:
    table = np.array(persons, dtype=np.int64).reshape(-1, 3)
    sensitive = [Codes(table[:, 1], 4), Codes(table[:, 2], 3)][:columns]
    rank = np.random.default_rng(7).permutation(len(table))
    cohort, count = form(table[:, 0], sensitive, k=k, l=l, rank=rank)
    members: dict[int, list[Person]] = defaultdict(list)
    for person, number in zip(persons, cohort.tolist(), strict=True):
        members[number].append(person)
    return members, count


@settings(max_examples=tried(50), deadline=None)
@given(PERSONS, st.integers(2, 8), st.integers(2, 3), st.integers(0, 2))
def test_every_cohort_is_of_one_class_and_meets_k_and_l_by_itself(
    persons: list[Person],
    k: int,
    l: int,
    columns: int,
) -> None:
    members, count = formed(persons, k, l, columns)
    assert set(members) - {-1} == set(range(count))
    for number, people in members.items():
        if number == -1:
            continue
        assert len(people) >= k
        assert len({p[0] for p in people}) == 1
        for column in range(1, columns + 1):
            assert len({p[column] for p in people} - {MISSING}) >= l


@settings(max_examples=tried(40), deadline=None)
@given(PERSONS, st.integers(2, 8))
def test_without_sensitive_columns_cohorts_hold_k_to_2k_minus_1(persons: list[Person], k: int) -> None:
    members, _ = formed(persons, k, 2, 0)
    assert all(k <= len(people) <= 2 * k - 1 for number, people in members.items() if number != -1)
    assert all(c < k for c in Counter(p[0] for p in members.get(-1, [])).values())


@settings(max_examples=tried(50), deadline=None)
@given(PERSONS, st.integers(2, 8), st.integers(2, 3))
def test_nobody_is_left_out_whose_class_could_be_a_cohort_and_cohorts_are_as_many_as_can_be(
    persons: list[Person],
    k: int,
    l: int,
) -> None:
    members, _ = formed(persons, k, l, 1)
    by_class: dict[int, list[int]] = defaultdict(list)
    for person in persons:
        by_class[person[0]].append(person[1])
    cohorts = Counter(people[0][0] for number, people in members.items() if number != -1)
    for one, values in by_class.items():
        held = Counter(v for v in values if v != MISSING)
        possible = [m for m in range(1, len(values) // k + 1) if sum(min(c, m) for c in held.values()) >= l * m]
        assert cohorts[one] <= max(possible, default=0)
        assert (cohorts[one] > 0) == bool(possible)


def test_a_rare_value_makes_cohorts_larger_rather_than_losing_the_class() -> None:
    persons = [(0, 0, 0)] * 97 + [(0, 1, 0)] * 3
    members, count = formed(persons, 10, 2, 1)
    assert count == 3
    assert -1 not in members


def test_class_keys_tell_apart_what_differs_even_when_codes_overflow_64_bits() -> None:
    random = np.random.default_rng(3)
    columns = [Codes(random.integers(0, 2**20, 500), 2**20) for _ in range(6)]
    keys = class_keys(columns, 500)
    rows = {tuple(int(c.codes[i]) for c in columns) for i in range(500)}
    assert len(set(keys.tolist())) == len(rows)


def test_cohorts_do_not_follow_the_order_of_the_input() -> None:
    """Neighbours in the file land in one cohort no more often than chance says."""
    persons = [(0, 0, 0)] * 1000
    table = np.zeros(len(persons), dtype=np.int64)
    rank = np.random.default_rng(1).permutation(len(persons))
    cohort, _ = form(table, [], k=10, l=2, rank=rank)
    together = int((cohort[1:] == cohort[:-1]).sum())
    assert together < 40
