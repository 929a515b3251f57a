"""The examples of `spec.py` hold."""

from __future__ import annotations

import pytest

from tests.sandbox.plan.asking import World, same
from tests.sandbox.plan.spec import ACCEPTED, REFUSED


@pytest.mark.parametrize("sql", [sql for group in ACCEPTED.values() for sql in group])
def test_accepted_sql_gives_what_plain_duckdb_gives(world: World, sql: str) -> None:
    ours, plain = world.ours(sql), world.plain(sql)
    assert same(ours, plain, ordered="ORDER BY" in sql and "LIMIT" in sql), (ours[:5], plain[:5])


@pytest.mark.parametrize(("sql", "code", "word"), [one for group in REFUSED.values() for one in group])
def test_refused_sql_says_why_and_where(world: World, sql: str, code: str, word: str) -> None:
    refused = world.refusal(sql)
    assert (refused.code, refused.word) == (code, word)
    if word:
        line = sql.splitlines()[refused.line - 1]
        assert line[refused.column - 1 :].startswith(word)
