"""Asks a question of both and holds the answers against each other."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from sandbox.plan.errors import SqlRefused
from tests.sandbox.plan.asking import Rows, World, same

# What the generators may write by chance: types that do not fit, and one value under two names in a ROLLUP.
_MAY = {"sql.type_mismatch", "sql.wrong_arguments", "sql.not_supported"}


@dataclass
class Counted:
    """How many questions ended how, so that no run can pass by refusing them all."""

    same: int = 0
    with_rows: int = 0
    raised: int = 0
    refused: int = 0


def outcome(world: World, sql: str, *, ours: bool) -> Rows | str:
    """The rows, or the kind of error."""
    try:
        return world.ours(sql) if ours else world.plain(sql)
    except duckdb.Error as error:
        return type(error).__name__


def compare(world: World, counted: Counted, sql: str) -> str:
    """How it ended; AssertionError when the answers differ, or only one of them is an error."""
    try:
        world.plan(sql)
    except SqlRefused as refused:
        counted.refused += 1
        assert refused.code in _MAY, (refused, sql)  # noqa: PT017
        return refused.code
    ours, plain = outcome(world, sql, ours=True), outcome(world, sql, ours=False)
    if isinstance(ours, str) or isinstance(plain, str):
        assert ours == plain, sql
        counted.raised += 1
        return "raised"
    counted.same += 1
    counted.with_rows += bool(ours)
    assert same(ours, plain), (sql, ours[:5], plain[:5])
    return "same"
