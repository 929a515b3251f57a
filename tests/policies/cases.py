"""The cases of policies/cases: a base question, what is changed in it, and what must be decided."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from msgspec import Struct, field

from policies.decision import AccessQuestion, Decision, Question
from policies.sources import FOLDER

Document = dict[str, Any]


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`change`: fact by section; null is a missing fact. `codes`: of denials; `told`: of warnings and news.

    `obligations`: those that the case is about."""

    name: str
    change: Document
    allow: bool
    codes: tuple[str, ...]
    told: tuple[str, ...] = ()
    obligations: Document = field(default_factory=dict)


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    base: str
    cases: tuple[Case, ...]


BASES = msgspec.json.decode((FOLDER / "cases" / "bases.json").read_bytes(), type=dict[str, Document])
FILES = {
    path.stem: msgspec.json.decode(path.read_bytes(), type=File)
    for path in sorted((FOLDER / "cases").glob("*.json"))
    if path.stem != "bases"
}
ALL = {f"{stem}: {case.name}": (file.base, case) for stem, file in FILES.items() for case in file.cases}

OF_ACCESS = {name: pair for name, pair in ALL.items() if BASES[pair[0]]["schema"].startswith("access/")}


def question(base: str, change: Document) -> Question:
    """The base question with the change made: facts of a section, or a whole section that is none."""
    document = copy.deepcopy(BASES[base])
    for section, facts in change.items():
        if isinstance(facts, dict) and isinstance(document.get(section), dict):
            document[section].update(facts)
        else:
            document[section] = facts
    asked: Question = msgspec.convert(document, Question)
    return asked


def access(base: str, change: Document) -> AccessQuestion:
    """As `question`, of the document access."""
    asked = question(base, change)
    assert isinstance(asked, AccessQuestion)
    return asked


def codes(decision: Decision) -> list[str]:
    """The codes of its denials, in order."""
    return sorted(reason.code for reason in decision.reasons if reason.severity == "deny")


def told(decision: Decision) -> list[str]:
    """The codes of what it says beside, in order."""
    return sorted(reason.code for reason in decision.reasons if reason.severity != "deny")
