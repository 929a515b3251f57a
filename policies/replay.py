"""Decisions made again by another policy: what it would allow that was denied, and where it would demand less."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec
from msgspec import Struct

from policies.kept import KeptPolicy, Undecided
from policies.looser import looser_axes

ENGINE_STATE = "policy."
"""Codes of denials that an engine's own state gave: no rule decided, so there is nothing to compare."""


class Past(Struct, frozen=True, kw_only=True):
    """A decision as it was made. `name`: its id, or its case; `question`: canonical JSON."""

    name: str
    question: bytes
    decision: dict[str, Any]


class Change(Struct, frozen=True, kw_only=True):
    """What the candidate would loosen. `what`: codes that denied before, or axes of obligations."""

    name: str
    kind: Literal["allowed", "loosened"]
    what: tuple[str, ...]


class Count(Struct, kw_only=True):
    """How the decisions came out when made again. `undecided`: by an engine's state, not by rules."""

    decisions: int = 0
    same: int = 0
    stricter: int = 0
    allowed: int = 0
    loosened: int = 0
    undecided: int = 0


class Replay:
    """One run over a stream: holds counts and a hash, no decision."""

    def __init__(self, candidate: KeptPolicy) -> None:
        self.count = Count()
        self._candidate = candidate
        self._digest = hashlib.sha256()

    @property
    def changes_sha256(self) -> str:
        """Over the canonical JSON of every change so far, a line each, in their order."""
        return self._digest.hexdigest()

    def again(self, past: Past) -> Change | None:
        """Decide it by the candidate; what that loosens, if anything. A candidate that fails denies."""
        self.count.decisions += 1
        before = past.decision
        if any(reason["code"].startswith(ENGINE_STATE) for reason in before["reasons"]):
            self.count.undecided += 1
            return None
        after = self._said(past)
        change = _loosening(past.name, before, after)
        if change is not None:
            self._digest.update(line(change))
        self._tally(change, before, after)
        return change

    def _tally(self, change: Change | None, before: dict[str, Any], after: dict[str, Any]) -> None:
        if change is not None and change.kind == "allowed":
            self.count.allowed += 1
        elif change is not None:
            self.count.loosened += 1
        elif before["allow"] and (not after["allow"] or _loosening("", after, before) is not None):
            self.count.stricter += 1
        else:
            self.count.same += 1

    def _said(self, past: Past) -> dict[str, Any]:
        try:
            return self._candidate.said(past.question)
        except Undecided:
            return {"allow": False, "reasons": []}


def _loosening(name: str, before: dict[str, Any], after: dict[str, Any]) -> Change | None:
    if not after["allow"]:
        return None
    if not before["allow"]:
        codes = sorted({each["code"] for each in before["reasons"] if each.get("severity", "deny") == "deny"})
        return Change(name=name, kind="allowed", what=tuple(codes))
    axes = looser_axes(before["obligations"], after["obligations"])
    if after["valid_until"] > before["valid_until"]:
        axes += ("valid_until",)
    return Change(name=name, kind="loosened", what=axes) if axes else None


def line(change: Change) -> bytes:
    """What the hash is over, and what a report holds."""
    return msgspec.json.encode(change, order="sorted") + b"\n"
