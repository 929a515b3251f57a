"""Texts of every code that the service can answer with, in Vietnamese and English: what, why, what next."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")
ROOT = Path(__file__).resolve().parents[2]
FILES = (
    ROOT / "policies" / "texts.json",
    ROOT / "sandbox" / "texts.json",
    ROOT / "catalog" / "texts.json",
    ROOT / "marketplace" / "texts" / "errors.json",
)
PAGES = ROOT / "marketplace" / "texts" / "pages.json"
PURPOSES = frozenset({"purpose", "purposes", "agreed", "allowed"})
"""Parameters that hold purposes; what else they hold is shown as it is."""
OFFICES = "needs"
"""The parameter that says who may: `owner:steward|regulator`."""
UNKNOWN = "text.missing"

log = logging.getLogger(__name__)


class Message(msgspec.Struct, frozen=True):
    """What happened, why, and what to do next."""

    what: str
    why: str
    next: str


class _Params(dict[str, str]):
    def __missing__(self, name: str) -> str:
        log.warning("text wants a parameter that was not given: %s", name)
        return "…"


@functools.cache
def texts() -> Mapping[str, Mapping[Language, Message]]:
    """Every text by code and language. Raises msgspec.ValidationError for a file of the wrong shape."""
    found: dict[str, dict[Language, Message]] = {}
    for path in FILES:
        if path.exists():
            found.update(msgspec.json.decode(path.read_bytes(), type=dict[str, dict[Language, Message]]))
    return found


def message(code: str, params: Mapping[str, object], language: Language) -> Message:
    """The text of a code with its parameters put in; a code without text is logged and says so."""
    known = texts().get(code)
    if known is None:
        log.error("code without text: %s", code)
        known, params = texts()[UNKNOWN], {"code": code}
    shown = _Params(
        {
            name: _purposes(value, language)
            if name in PURPOSES
            else _offices(value, language)
            if name == OFFICES
            else _word(code, name, value, language)
            for name, value in params.items()
        }
    )
    text = known[language]
    return Message(what=text.what.format_map(shown), why=_filled(text.why, shown), next=_filled(text.next, shown))


def purpose_named(id: str, language: Language) -> str:
    """`Nghiên cứu (research)`: a purpose keeps its id, by which it is asked for."""
    named = _words().get(f"purpose.{id}")
    return f"{named[language]} ({id})" if named else id


def _word(code: str, name: str, value: object, language: Language) -> str:
    """What a text calls a value that is one of a few words of ours."""
    named = _words().get(f"word.{code}.{name}.{value}") if isinstance(value, str) else None
    return named[language] if named else show(value, language)


@functools.cache
def _words() -> Mapping[str, Mapping[Language, str]]:
    return {
        key: word
        for key, word in msgspec.json.decode(PAGES.read_bytes(), type=dict[str, dict[Language, str]]).items()
        if key.startswith(("purpose.", "word.", "kind.", "office."))
    }


def _offices(value: object, language: Language) -> str:
    """Of which kind of organisation, and there in which office (`*`: in any)."""
    return " / ".join(_office(each, language) for each in str(value).split("|"))


def _office(needs: str, language: Language) -> str:
    kind, _, role = needs.partition(":")
    said = _named(f"kind.{kind}", kind, language)
    return f"{said} ({_named(f'office.{role}', role, language)})" if role not in ("", "*") else said


def _named(key: str, itself: str, language: Language) -> str:
    named = _words().get(key)
    return named[language] if named else itself


def _purposes(value: object, language: Language) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_purposes(each, language) for each in value)
    return purpose_named(value, language) if isinstance(value, str) else show(value, language)


def _filled(text: str, shown: Mapping[str, str]) -> str:
    """Without the sentences that would name nothing: “Nearest: .” where nothing is near."""
    for name in (name for name, value in shown.items() if not value):
        text = re.sub(rf"[^.]*\{{{name}\}}[^.]*(\.\s*|$)", "", text)
    return text.format_map(shown).rstrip()


def told(code: str, params: Mapping[str, object], language: Language) -> Message:
    """The text of a decision's reason; where the decision is on several datasets it begins with which."""
    said = message(code, params, language)
    return msgspec.structs.replace(said, what=f"{params['dataset']}: {said.what}") if "dataset" in params else said


def show(value: object, language: Language) -> str:
    """A parameter as the language writes it: 12.500 in Vietnamese, 12,500 in English; lists with commas."""
    if isinstance(value, Mapping) and value.keys() == {"vi", "en"}:  # what is told in both languages
        return str(value[language])
    if isinstance(value, bool) or not isinstance(value, int | list | tuple):
        return str(value)
    if isinstance(value, int):
        grouped = f"{value:,}"
        return grouped.replace(",", ".") if language == "vi" else grouped
    return ", ".join(show(item, language) for item in value)
