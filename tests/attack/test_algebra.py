"""An analyst keeps every answer and solves equations: nothing that follows from them is of fewer than k persons.

Over random registers, versions, withdrawals and questions: counts, sums, squares, products of two measures, bands,
levels and joins. With a defect planted the same analyst finds it.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.cohorts import form
from catalog.errors import PublicationRefused
from catalog.jailed import forming, measures
from catalog.storage import Store
from catalog.wire import MeasureReply
from tests.attack.algebra import K, Register, person
from tests.catalog.observer import fewest_behind
from tests.catalog.plain import in_process
from tests.catalog.small import Row


def play(folder: Path, draw: random.Random, *, versions: int, questions: int) -> Register:
    """A register whose persons come, leave and change, asked after each version."""
    register = Register(Store(folder / "store"), folder)
    rows = [person(draw, i) for i in range(draw.randint(50, 110))]
    known = len(rows)
    for _ in range(versions):
        try:
            register.publish(rows)
        except PublicationRefused as refused:
            if refused.code not in (
                "publication.all_wait",
                "publication.too_identifying",
                "publication.too_few_fall_back",
            ):
                raise
        else:
            for _ in range(questions):
                register.ask(draw)
        leaving = draw.choice([0.0, 0.02, 0.2])
        rows = [_later(draw, r) for r in rows if draw.random() >= leaving]
        coming = draw.choice([0, 1, 9])
        rows += [person(draw, known + i) for i in range(coming)]
        known += coming
    return register


def _later(draw: random.Random, row: Row) -> Row:
    """Nobody moves elsewhere; values and consents may change."""
    if draw.random() < 0.03:
        return [*row[:2], *person(draw, 0)[2:]]
    return list(row)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), versions=st.integers(1, 3))
def test_nothing_that_follows_from_all_answers_is_of_fewer_than_k_persons(seed: int, versions: int) -> None:
    with tempfile.TemporaryDirectory() as folder, in_process():
        register = play(Path(folder), random.Random(seed), versions=versions, questions=8)
    equations, people = register.matrix()
    assert fewest_behind(equations, people, K) == K


def _cohorts_of_one_fewer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(forming, "form", lambda *a, k, **more: form(*a, k=k - 1, **more))


def _sums_of_two_persons(patch: pytest.MonkeyPatch) -> None:
    right = measures.sums
    patch.setattr(measures, "sums", lambda measure, order, starts, k: right(measure, order, starts, 2))


@pytest.mark.parametrize("defect", [_cohorts_of_one_fewer, _sums_of_two_persons])
def test_a_planted_defect_is_found(defect: Callable[[pytest.MonkeyPatch], None], tmp_path: Path) -> None:
    """Else the law above could not fail. The exchange's own checks would refuse such a version: they are off."""
    unchecked = lambda manifest, intake, made, *_: MeasureReply(  # noqa: E731
        k=K, l=2, rows=made.reply.rows, persons=made.reply.persons
    )
    with in_process(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("catalog.pipeline.stages.recheck", lambda *_: None)
        patch.setattr("catalog.pipeline.stages.measure", unchecked)
        defect(patch)
        register = play(tmp_path, random.Random(2), versions=1, questions=120)
    equations, people = register.matrix()
    assert fewest_behind(equations, people, K) < K


@pytest.mark.parametrize("defect", [_cohorts_of_one_fewer, _sums_of_two_persons])
def test_a_planted_defect_is_refused_before_anybody_can_ask(
    defect: Callable[[pytest.MonkeyPatch], None], tmp_path: Path
) -> None:
    with in_process(), pytest.MonkeyPatch.context() as patch:
        defect(patch)
        with pytest.raises(PublicationRefused) as refused:
            play(tmp_path, random.Random(1), versions=1, questions=1)
    assert refused.value.code in ("publication.measured_short", "publication.promise_broken")


def test_what_a_band_or_a_pair_would_tell_within_a_cohort_is_found() -> None:
    """Why bands are part of the class, and why a pair has no sums of its own (`catalog.jailed.measures`)."""
    people = [f"P{i}" for i in range(7)]
    everybody, in_band = np.ones(7), np.array([1, 1, 1, 1, 1, 0, 0])
    assert fewest_behind(np.stack([everybody, in_band]), people, K) == 2
    assert fewest_behind(np.stack([everybody, 2 * everybody]), people, K) == K
    # visits over all seven who have them; over the six who have a cost too.
    has_both = np.array([1, 1, 1, 1, 1, 1, 0])
    assert fewest_behind(np.stack([everybody, has_both]), people, K) == 1
