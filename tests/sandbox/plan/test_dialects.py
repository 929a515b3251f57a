"""What people bring from PostgreSQL, MySQL, BigQuery, Spark, T-SQL and spreadsheets is refused, with a way on.

A line of `brought.txt`: what was written, the word pointed at, what is suggested, and the question written so.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketplace.texts import LANGUAGES, message
from tests.sandbox.plan.asking import World

_LINES = Path(__file__).with_name("brought.txt").read_text(encoding="utf-8").splitlines()
BROUGHT = [tuple(part.strip() for part in line.split(" | ")) for line in _LINES]


@pytest.mark.parametrize(("brought", "word", "use", "instead"), BROUGHT, ids=[each[0] for each in BROUGHT])
def test_what_is_brought_is_refused_where_it_stands_with_a_way_that_works(
    world: World, brought: str, word: str, use: str, instead: str
) -> None:
    refused = world.refusal(brought)
    assert refused.word == word
    assert brought[refused.column - 1 :].startswith(word)
    alternatives = re.split(r"(?:;|,) (?![^(]*\))", str(refused.params["use"]))
    assert use in (*alternatives, refused.params["use"])
    for language in LANGUAGES:
        said = message(refused.code, refused.params, language)
        assert use in said.why + said.next
    assert set(re.findall(r"[a-z_]{3,}(?=\()|[A-Z]{2,}", use)) <= set(re.findall(r"[A-Za-z_]+", instead))
    world.ours(instead)


@pytest.mark.parametrize(
    "sql", ["SELECT date'2020-01-31'", "SELECT interval'1 day' + DATE '2020-01-31'", "SELECT 1;;"]
)
def test_what_only_looks_like_it_is_understood(world: World, sql: str) -> None:
    assert len(world.ours(sql)) == 1


def test_a_text_without_end_is_refused_where_it_begins(world: World) -> None:
    refused = world.refusal("SELECT age\nFROM people WHERE sex = 'Male")
    assert (refused.code, refused.line, refused.column) == ("sql.syntax", 2, 25)
