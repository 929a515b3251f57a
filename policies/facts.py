"""A question taken apart into single facts, each a name and the JSON of its value, and put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode


SCALARS = "question"
"""The section of what stands outside every section: schema, instant, a section that is null."""


class NoQuestion(ValueError):
    """The facts do not make a question."""


def facts_of(question: bytes) -> dict[str, str]:
    """Canonical JSON of each value by name, which is section.fact. A list or an object in a section is one fact.

    `question`: its canonical JSON.
    """
    document: dict[str, Any] = msgspec.json.decode(question, type=dict[str, Any])
    if SCALARS in document:
        raise NoQuestion(f"a section may not be called {SCALARS}")
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, dict) and value:
            found |= {f"{name}.{fact}": _encode(each).decode() for fact, each in value.items()}
        else:
            found[f"{SCALARS}.{name}"] = _encode(value).decode()
    return found


def question_of(values: Mapping[str, str]) -> bytes:
    """The question's canonical JSON from all its facts. Raises NoQuestion."""
    document: dict[str, Any] = {}
    for name, value in values.items():
        section, _, fact = name.partition(".")
        place = document if section == SCALARS else document.setdefault(section, {})
        if not isinstance(place, dict) or fact in place or not fact:
            raise NoQuestion(f"{name} has no place")
        try:
            place[fact] = msgspec.json.decode(value)
        except msgspec.MsgspecError as wrong:
            raise NoQuestion(f"{name}: {wrong}") from wrong
    return _encode(document)
