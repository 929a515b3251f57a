"""The cases of policies/cases: a base question, what is changed in it, and what must be decided."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from policies.decision import Decision, Question
from policies.sources import FOLDER

Document = dict[str, Any]


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`change`: fact by section; null is a missing fact. `obligations`: those that the case is about."""

    name: str
    change: dict[str, Document]
    allow: bool
    codes: tuple[str, ...]
    obligations: Document = field(default_factory=dict)


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    base: Literal["rows", "aggregate"]
    cases: tuple[Case, ...]


BASES = msgspec.json.decode((FOLDER / "cases" / "bases.json").read_bytes(), type=dict[str, Document])
FILES = {
    path.stem: msgspec.json.decode(path.read_bytes(), type=File)
    for path in sorted((FOLDER / "cases").glob("*.json"))
    if path.stem != "bases"
}
ALL = {f"{stem}: {case.name}": (file.base, case) for stem, file in FILES.items() for case in file.cases}


def question(base: str, change: dict[str, Document]) -> Question:
    """The base question with the change made."""
    document = {key: dict(v) if isinstance(v, dict) else v for key, v in BASES[base].items()}
    for section, facts in change.items():
        document[section].update(facts)
    return msgspec.convert(document, Question)


def codes(decision: Decision) -> list[str]:
    """The codes of its reasons, in order."""
    return sorted(reason.code for reason in decision.reasons)
