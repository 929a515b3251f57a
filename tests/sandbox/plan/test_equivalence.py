"""Whatever question is understood, our SQL answers what plain DuckDB answers to the analyst's own text.

Two generators: `questions` writes few parentheses, so that precedence is put to the test; `generated` writes whole
questions with types in mind. `make soak` compares thousands.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.sandbox.plan.asking import World
from tests.sandbox.plan.comparing import Counted, compare
from tests.sandbox.plan.generated import Questions
from tests.sandbox.plan.questions import selects


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=selects())
def _compare_precedence(world: World, counted: Counted, sql: str) -> None:
    event(compare(world, counted, sql))


@settings(max_examples=140, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**48))
def _compare_questions(world: World, counted: Counted, seed: int) -> None:
    event(compare(world, counted, Questions(random.Random(seed)).question()))


@pytest.mark.parametrize("compare_all", [_compare_precedence, _compare_questions])
def test_generated_questions_get_the_answers_of_plain_duckdb(world: World, compare_all: object) -> None:
    assert callable(compare_all)
    counted = Counted()
    compare_all(world, counted)
    assert counted.same > 2 * (counted.refused + counted.raised)
    assert counted.with_rows > counted.same / 4
