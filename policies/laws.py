"""The dated law of `policies/data/law.json`, and which rules and tests stand on each entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from policies.gates import DOCUMENTS, Annotation, annotated, cases_of
from policies.sources import data

IN_REGO = "opa test"
_ENGLISH = Path(__file__).with_name("law_en.json")
"""Beside the data, not in them: a word mended is no new policy."""


class LawWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people call a law, and what it says in a line."""

    article: str
    value: str


class Law(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds from one day to another, in Viet Nam's time; the instants are what Rego reads.

    `values`: numbers that rules measure against. `checked_by`: counsel who confirmed it, None so far.
    `english`: its article and value as a reader of English is told; the law itself is Vietnamese.
    """

    article: str
    value: str
    valid_from: str
    valid_to: str | None
    from_ms: int
    until_ms: int | None
    source: str
    checked_by: str | None
    values: dict[str, Any] = field(default_factory=dict)
    english: LawWords

    def words(self, language: str) -> LawWords:
        """Article and value in `vi` or `en`."""
        return self.english if language == "en" else LawWords(article=self.article, value=self.value)


class Rule(Struct, frozen=True, kw_only=True):
    """A gate, denial or warning that stands on a law. `tests`: names of cases, else the Rego's own tests."""

    document: str
    code: str
    tests: tuple[str, ...]


class Basis(Struct, frozen=True, kw_only=True):
    """A law with all that hangs on it."""

    id: str
    entries: tuple[Law, ...]
    rules: tuple[Rule, ...]


def laws() -> Mapping[str, tuple[Law, ...]]:
    """Entries by id, the oldest first."""
    english = msgspec.json.decode(_ENGLISH.read_bytes())
    told = {
        id: [{**entry, "english": words} for entry, words in zip(entries, english[id], strict=True)]
        for id, entries in data()["law"].items()
    }
    return msgspec.convert(told, dict[str, tuple[Law, ...]])


def law_at(id: str, at_ms: int) -> Law | None:
    """The entry in force at that instant; None where there is none."""
    entries = laws().get(id, ())
    held = (law for law in entries if law.from_ms <= at_ms and (law.until_ms is None or at_ms < law.until_ms))
    return next(held, None)


def bases() -> tuple[Basis, ...]:
    """Every law → rule → test, in the order of law.json."""
    notes = [a for a in annotated() if a.document in DOCUMENTS and (a.is_gate or a.is_denial or a.is_warning)]
    rules = [(note.custom.law, _rule(note, notes)) for note in notes]
    return tuple(
        Basis(id=id, entries=entries, rules=tuple(dict.fromkeys(rule for law, rule in rules if id in law)))
        for id, entries in laws().items()
    )


def _rule(note: Annotation, notes: list[Annotation]) -> Rule:
    """A gate is tried by the cases in which it does not hold."""
    codes = [note.custom.code]
    if note.is_gate:
        codes = [a.custom.code for a in notes if a.document == note.document and a.custom.gate == note.custom.code]
    tried = tuple(dict.fromkeys(case for code in codes for case in cases_of(code, note.document)))
    return Rule(document=note.document, code=note.custom.code, tests=tried or (IN_REGO,))
