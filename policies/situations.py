"""The cases of a policy's folder as decisions of another policy: what a change of the rules is tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from policies.kept import KeptPolicy, Undecided
from policies.replay import Past


def decided_cases(folder: Path, base: KeptPolicy) -> Iterator[Past]:
    """Every case of folder/cases, decided by `base`; one whose question it does not know is undecided."""
    for name, question in _questions(folder / "cases"):
        try:
            decision = base.said(question)
        except Undecided:
            decision = {"allow": False, "reasons": [{"code": "policy.undefined"}]}
        yield Past(name=name, question=question, decision=decision)


def _questions(cases: Path) -> Iterator[tuple[str, bytes]]:
    bases = msgspec.json.decode((cases / "bases.json").read_bytes(), type=dict[str, dict[str, Any]])
    for path in sorted(cases.glob("*.json")):
        if path.stem == "bases":
            continue
        file = msgspec.json.decode(path.read_bytes())
        for case in file["cases"]:
            question = _changed(bases[file["base"]], case["change"])
            yield f"{path.stem}: {case['name']}", msgspec.json.encode(question, order="sorted")


def _changed(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Facts of a section, or a whole section that is none."""
    question = dict(base)
    for section, facts in change.items():
        before = question.get(section)
        both = isinstance(before, dict) and isinstance(facts, dict)
        question[section] = before | facts if both else facts
    return question
