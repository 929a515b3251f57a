"""A decision told gate by gate: what each asks for, what says that it does not hold, facts, law."""

from __future__ import annotations

import functools
from typing import Any

import msgspec
from msgspec import Struct

from policies.decision import Decision, Question, Reason
from policies.facts import SCALARS
from policies.gates import EVERY_FACT, Annotation, annotated
from policies.sources import FOLDER

DOCUMENT = "access"


class GateText(Struct, frozen=True):
    """What the gate asks for, in both languages."""

    vi: str
    en: str


class Gate(Struct, frozen=True, kw_only=True):
    """One gate. `facts`: names, as section.fact. `reasons`: what says that it does not hold.

    `holds`: True in a decision that allows, for then every gate does; False where a reason says so; None where a
    denial says nothing against it: gates share facts, and what one cannot use another could not either.
    """

    code: str
    text: GateText
    holds: bool | None
    facts: tuple[str, ...]
    law: tuple[str, ...]
    reasons: tuple[Reason, ...]


class Explained(Struct, frozen=True, kw_only=True):
    """A decision by its gates, in the order of the rules. `reasons`: those that are no gate's own, a missing fact
    or the engine's state."""

    gates: tuple[Gate, ...]
    reasons: tuple[Reason, ...]


def explained(decision: Decision) -> Explained:
    """Every reason of the decision stands once: at the gate that its rule's METADATA names, or by itself."""
    gate_of = {note.custom.code: note.custom.gate for note in _notes() if note.is_denial}
    against = [reason for reason in decision.reasons if reason.severity == "deny"]
    codes = dict.fromkeys(note.custom.code for note in _notes() if note.is_gate)
    return Explained(
        gates=tuple(
            _gate(code, tuple(r for r in against if gate_of.get(r.code) == code), decision.allow) for code in codes
        ),
        reasons=tuple(reason for reason in against if gate_of.get(reason.code) not in codes),
    )


def fact(question: Question, name: str) -> Any:
    """The value of a fact, None when it is missing. `question.at_ms` stands outside all sections."""
    section, _, field = name.partition(".")
    document: dict[str, Any] = msgspec.to_builtins(question)
    return document.get(field) if section == SCALARS else document.get(section, {}).get(field)


@functools.cache
def gate_texts() -> dict[str, GateText]:
    """By code."""
    return msgspec.json.decode((FOLDER / "gate_texts.json").read_bytes(), type=dict[str, GateText])


def _gate(code: str, against: tuple[Reason, ...], allow: bool) -> Gate:
    rules = [note.custom for note in _notes() if code in (note.custom.gate, note.is_gate and note.custom.code)]
    return Gate(
        code=code,
        text=gate_texts()[code],
        holds=True if allow else False if against else None,
        facts=tuple(dict.fromkeys(name for rule in rules for name in rule.facts if name != EVERY_FACT)),
        law=tuple(dict.fromkeys(law for rule in rules for law in rule.law)),
        reasons=against,
    )


@functools.cache
def _notes() -> tuple[Annotation, ...]:
    return tuple(note for note in annotated() if note.document == DOCUMENT)
