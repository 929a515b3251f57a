"""What is told of a measure: sums, and nothing of how they came about."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.jailed.measures import Measure, Sums, is_told, sums
from catalog.jailed.measures import told as told_of

K = 5


def told(values: list[float]) -> Sums:
    """Of one cohort in this order."""
    data = np.array(values)
    measure = Measure("cost", data, np.ones(len(data), dtype=bool), -1e9, 1e9)
    return sums(measure, np.arange(len(data)), np.zeros(1, dtype=np.int64), K)


def bits(made: Sums) -> tuple[bytes, bytes]:
    return made.total.tobytes(), made.squares.tobytes()


def test_the_order_of_persons_does_not_show_in_the_last_digits_of_a_sum() -> None:
    values = [0.1, 0.7, 12.3, 33.3, 0.05, 7.77]
    assert len({bits(told(list(order))) for order in itertools.permutations(values)}) == 1
    assert len({sum(order) for order in itertools.permutations(values)}) > 1, "else it could not fail"


def test_persons_with_the_same_sums_are_not_told_apart_by_rounding() -> None:
    """Two cohorts alike in count, sum and sum of squares, as exact numbers, whose floating sums differ."""
    one, other = [0.1, 0.1, 0.9, 2.2, 2.5], [0.2, 0.3, 0.5, 2.3, 2.5]
    for power in (1, 2):
        exact = [sum(round(10 * v) ** power for v in each) for each in (one, other)]
        assert exact[0] == exact[1]
    assert sum(one) != sum(other), "else it could not fail"
    assert bits(told(one)) == bits(told(other))


@pytest.mark.parametrize("values", [[-0.0] * 5, [0.1, 0.2, -0.3, 0.0, 0.0], [0.3, -0.1, -0.2, 0.0, 0.0]])
def test_nothing_is_left_of_what_cancels_out_and_zero_has_no_sign(values: list[float]) -> None:
    assert told(values).total.tobytes() == np.zeros(1).tobytes()


def test_whole_numbers_are_told_to_the_last() -> None:
    values = [9_007_199_254_740.0, 1.0, 2.0, 3.0, 9_007_199_254_740.0]
    assert told(values).total[0] == sum(values)


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.integers(-(10**9), 10**9).map(lambda v: v / 100), min_size=5, max_size=40))
def test_what_is_told_is_near_and_the_broker_finds_it_so(values: list[float]) -> None:
    made, again = told(values), np.array([sum(sorted(values))])
    absolute = np.array([sum(map(abs, sorted(values)))])
    assert made.total[0] == pytest.approx(again[0], abs=1e-11 * absolute[0])
    assert is_told(made.total, again, absolute).all()
    squares = np.array([sum(v * v for v in sorted(values))])
    assert is_told(made.squares, squares, squares).all()
    assert (told_of(made.total, absolute) == made.total).all() or (made.total == np.rint(made.total)).all()


@pytest.mark.parametrize("hidden", [1 + 2**-33, 1 - 2**-33, 1 + 2**-45])
def test_what_stands_behind_the_digits_that_are_told_is_refused(hidden: float) -> None:
    made = told([0.1, 0.7, 12.3, 33.3, 0.05])
    assert is_told(made.total, made.total, made.total).all()
    assert not is_told(made.total * hidden, made.total, made.total).any()
