"""A decision told gate by gate: which hold, which do not and why, on which facts, under which law."""

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
ENGINE_STATE = "policy."
UNLISTED = "version.not_listed"


class GateText(Struct, frozen=True):
    """What the gate asks for, in both languages."""

    vi: str
    en: str


class Gate(Struct, frozen=True, kw_only=True):
    """One gate. `facts`: names, as section.fact. `reasons`: why it does not hold, none when it does.

    `holds` is None where it cannot be said: a fact that it needs is missing or unknown, which is another gate's
    reason, or no rule decided at all (the engine was missing, late or of another revision).
    """

    code: str
    text: GateText
    holds: bool | None
    facts: tuple[str, ...]
    law: tuple[str, ...]
    reasons: tuple[Reason, ...]


class _Rule(Struct, frozen=True, kw_only=True):
    """A gate's rules taken together: it may hold in several ways, and fail in several.

    `needed`: facts without which it holds in no way."""

    code: str
    needed: frozenset[str]
    facts: tuple[str, ...]
    law: tuple[str, ...]
    denials: frozenset[str]


def gates(question: Question, decision: Decision) -> tuple[Gate, ...]:
    """Every gate of access, in the order of the rules."""
    against = tuple(reason for reason in decision.reasons if reason.severity == "deny")
    decided = not any(reason.code.startswith(ENGINE_STATE) for reason in against)
    unusable = _unusable(question, against)
    return tuple(_gate(rule, against, unusable, decided) for rule in _rules())


def fact(question: Question, name: str) -> Any:
    """The value of a fact, None when it is missing. `question.at_ms` stands outside all sections."""
    section, _, field = name.partition(".")
    document: dict[str, Any] = msgspec.to_builtins(question)
    return document.get(field) if section == SCALARS else document.get(section, {}).get(field)


@functools.cache
def gate_texts() -> dict[str, GateText]:
    """By code."""
    return msgspec.json.decode((FOLDER / "gate_texts.json").read_bytes(), type=dict[str, GateText])


def _gate(rule: _Rule, reasons: tuple[Reason, ...], unusable: frozenset[str], decided: bool) -> Gate:
    against = tuple(
        reason for reason in reasons if reason.code in rule.denials or reason.params.get("fact") in rule.needed
    )
    holds = None if not decided or (not against and unusable & set(rule.facts)) else not against
    return Gate(
        code=rule.code, text=gate_texts()[rule.code], holds=holds, facts=rule.facts, law=rule.law, reasons=against
    )


def _unusable(question: Question, reasons: tuple[Reason, ...]) -> frozenset[str]:
    """Facts that a reason calls missing or unknown; without a version, all that nobody could gather."""
    codes = {reason.code for reason in reasons}
    missing = {reason.params["fact"] for reason in reasons if "fact" in reason.params}
    unknown = {
        name
        for note in _notes()
        if note.custom.code in codes and note.custom.code.endswith("unknown")
        for name in note.custom.facts
    }
    if UNLISTED in codes:
        missing |= {name for rule in _rules() for name in rule.facts if fact(question, name) is None}
    return frozenset(missing | unknown)


@functools.cache
def _notes() -> tuple[Annotation, ...]:
    return tuple(note for note in annotated() if note.document == DOCUMENT)


@functools.cache
def _rules() -> tuple[_Rule, ...]:
    notes = _notes()
    codes = dict.fromkeys(note.custom.code for note in notes if note.is_gate)
    return tuple(_rule(code, notes) for code in codes)


def _rule(code: str, notes: tuple[Annotation, ...]) -> _Rule:
    ways = [note.custom for note in notes if note.is_gate and note.custom.code == code]
    against = [note.custom for note in notes if note.is_denial and note.custom.gate == code]
    return _Rule(
        code=code,
        needed=frozenset.intersection(*(frozenset(way.facts) for way in ways)),
        facts=tuple(
            dict.fromkeys(name for custom in (*ways, *against) for name in custom.facts if name != EVERY_FACT)
        ),
        law=tuple(dict.fromkeys(law for custom in (*ways, *against) for law in custom.law)),
        denials=frozenset(custom.code for custom in against),
    )
