"""Whatever question is understood, our SQL answers what plain DuckDB answers to the analyst's own text."""

from __future__ import annotations

from typing import ClassVar

import duckdb
from hypothesis import HealthCheck, event, given, settings

from sandbox.plan.errors import SqlRefused
from tests.sandbox.plan.asking import Rows, World, same
from tests.sandbox.plan.questions import selects


class Counted:
    """How many generated questions were compared, so that the test cannot pass by refusing them all."""

    compared: ClassVar[int] = 0
    refused: ClassVar[int] = 0


def outcome(world: World, sql: str, *, ours: bool) -> Rows | str:
    """The rows, or the kind of error."""
    try:
        return world.ours(sql) if ours else world.plain(sql)
    except duckdb.Error as error:
        return type(error).__name__


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=selects())
def _compare(world: World, sql: str) -> None:
    try:
        world.plan(sql)
    except SqlRefused as refused:
        Counted.refused += 1
        event(refused.code)
        assert refused.code in {"sql.type_mismatch", "sql.wrong_arguments"}, (refused, sql)  # noqa: PT017
        return
    ours, plain = outcome(world, sql, ours=True), outcome(world, sql, ours=False)
    if isinstance(ours, str) or isinstance(plain, str):
        assert ours == plain, sql
        return
    Counted.compared += 1
    assert same(ours, plain), (sql, ours[:5], plain[:5])


def test_generated_questions_get_the_answers_of_plain_duckdb(world: World) -> None:
    _compare(world)
    assert Counted.compared > 2 * Counted.refused
