"""A question taken apart into groups of facts, each a text that can be committed to by itself, and put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

SCALARS = "question"
"""The group of what stands in the question outside every section: its schema and its instant."""


class NoQuestion(ValueError):
    """The groups do not make a question."""


def groups(question: Struct) -> dict[str, str]:
    """Canonical JSON by group: one for each section (caller, agreement, …), one for the rest."""
    document: dict[str, Any] = msgspec.to_builtins(question)
    sections = {name: value for name, value in document.items() if isinstance(value, dict | list | tuple)}
    if SCALARS in sections:
        raise NoQuestion(f"a section may not be called {SCALARS}")
    rest = {name: value for name, value in document.items() if name not in sections}
    return {name: _text(value) for name, value in (sections | {SCALARS: rest}).items()}


def question_of(texts: Mapping[str, str]) -> bytes:
    """The question's canonical JSON from the texts of all its groups. Raises NoQuestion."""
    try:
        document: dict[str, Any] = msgspec.json.decode(texts[SCALARS], type=dict[str, Any])
        sections = {name: msgspec.json.decode(text) for name, text in texts.items() if name != SCALARS}
    except (KeyError, msgspec.MsgspecError) as wrong:
        raise NoQuestion(str(wrong)) from wrong
    if document.keys() & sections.keys():
        raise NoQuestion("a section stands twice")
    return msgspec.json.encode(document | sections, order="deterministic")


def _text(value: Any) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
