"""The cases leave nothing out that the gates, the facts, the purposes and the dated law make possible."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import msgspec
import pytest

from policies.gates import DOCUMENTS, annotated
from policies.sources import data
from tests.policies.cases import ALL, Case, question

SECOND_MS = 1000
FIXED = {"question.schema", "question.stage", "request.beside"}
"""Facts that a question of the form always has: the struct lets through neither null nor another value."""
NO_FACT = (None, "", -1)
BY_FORM = {"question.unknown_schema", "version.mode_unknown", "mode.unknown"}
"""What no typed question can be (every mode has limits); the Rego's own tests try it."""


@functools.cache
def _asked(document: str) -> tuple[tuple[Any, Case], ...]:
    """Each case of the document with its question as JSON."""
    asked = ((msgspec.to_builtins(question(base, case.change)), case) for base, case in ALL.values())
    return tuple((q, case) for q, case in asked if q["schema"].startswith(f"{document}/"))


def _at(asked: Any, path: list[str]) -> Any:
    return functools.reduce(lambda inner, name: inner.get(name) if isinstance(inner, dict) else None, path, asked)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_gate_is_tried_open_and_shut_in_each_way(document: str) -> None:
    """All are open where it is allowed; each code shuts one, so each has a case."""
    of_it = [note for note in annotated() if note.document == document]
    said = {code for _, case in _asked(document) for code in (*case.codes, *case.told)}
    codes = {note.custom.code for note in of_it if note.is_denial or note.is_warning} - {"*.missing", *BY_FORM}
    assert codes - said == set()
    gates = {note.custom.code for note in of_it if note.is_gate}
    shut = {note.custom.gate for note in of_it if note.is_denial and note.custom.code in {*codes, *BY_FORM}}
    assert gates - shut == set()
    assert any(case.allow for _, case in _asked(document))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_fact_is_tried_missing(document: str) -> None:
    facts = data()["facts"][document]
    tried = {
        name
        for name, fact in facts.items()
        for asked, case in _asked(document)
        if _at(asked, fact["path"]) in NO_FACT and f"{fact['gate']}.missing" in case.codes
    }
    assert set(facts) - tried == FIXED & set(facts)


def test_every_pair_of_purposes_is_tried_asked_and_applied_for() -> None:
    purposes = data()["purposes"]
    offered = [*purposes["known"], *purposes["groups"]]
    pairs = set(itertools.product([*offered, *purposes["never"]], offered))
    queried = {
        (asked["request"]["purpose"], *(asked["dataset"]["purposes"] or ())) for asked, _ in _asked("access")
    }
    applied = {
        (asked["application"]["purpose"], *(asked["dataset"]["purposes"] or ()))
        for asked, _ in _asked("agreement")
        if asked["stage"] == "apply"
    }
    assert pairs - queried == set()
    assert pairs - applied == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_date_of_the_law_is_tried_one_second_before_and_after(document: str) -> None:
    read = {law for rule in annotated() for law in rule.custom.law}
    entries = [entry for law, dated in data()["law"].items() if law in read for entry in dated]
    dates = {entry[edge] for entry in entries for edge in ("from_ms", "until_ms")} - {None}
    tried = {asked["at_ms"] for asked, _ in _asked(document)}
    assert {date + aside for date in dates for aside in (-SECOND_MS, SECOND_MS)} - tried == set()
