"""What another catalogue says of a dataset, after everything hostile in it was made harmless."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

MOST_CHARACTERS: Final = {"id": 500, "title": 500, "description": 10_000, "word": 200, "url": 2_000}
MOST_WORDS: Final = 50
"""Themes or formats of one listing."""
SCANNED_CHARACTERS: Final = 100_000
"""Of one text; what stands behind is not looked at."""
_HIDDEN: Final = re.compile(
    "[\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
)
"""Marks that turn, hide or join text: a name must look like what it is."""
_TAG: Final = re.compile(r"<(?P<end>/?)(?:(?P<name>[a-zA-Z]+)|[!?])[^<>]*>")
_SILENT: Final = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head", "title"}


class External(Struct, frozen=True, kw_only=True):
    """Plain texts and http(s) addresses only. `modified`: as the catalogue says it, to be compared, not read."""

    id: str
    name: str = ""
    """Its name in the other catalogue, where it has one beside its id."""
    title: str
    description: str = ""
    url: str | None = None
    publisher: str = ""
    licence: str = ""
    themes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    spatial: str = ""
    temporal: str = ""
    modified: str = ""

    @property
    def sha256(self) -> str:
        """Of all of it: two that say the same are alike."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Refused(Struct, frozen=True, kw_only=True):
    """Something in a catalogue that is no listing. code: no_id | no_title | not_a_dataset | too_large | twice."""

    id: str
    code: str


class Read(Struct, frozen=True, kw_only=True):
    """What one document held, and the address of the page after it."""

    listings: tuple[External, ...] = ()
    refused: tuple[Refused, ...] = ()
    next: str | None = None


def _without_markup(text: str) -> str:
    """In one pass however it is nested or broken: `html.parser` takes the square of the length for some texts, and
    gives up at others."""
    parts: list[str] = []
    silent = at = 0
    for tag in _TAG.finditer(text):
        if not silent:
            parts.append(html.unescape(text[at : tag.start()]))
        parts.append(" ")
        at = tag.end()
        if (tag["name"] or "").lower() in _SILENT:
            silent = silent + 1 if not tag["end"] else max(0, silent - 1)
    if not silent:
        parts.append(html.unescape(text[at:]))
    return "".join(parts)


def _without_comments(text: str) -> str:
    parts, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts.append(text[at:start])
        at = end + 3
    return " ".join([*parts, text[at:]])


def plain(value: Any, kind: str = "description") -> str:
    """A text without markup, control characters and hidden marks, blanks single, of bounded length."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    text = value[:SCANNED_CHARACTERS]
    if "<" in text or "&" in text:
        text = _without_markup(_without_comments(text))
    text = _HIDDEN.sub("", unicodedata.normalize("NFC", text))
    text = "".join(c if unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn") else " " for c in text)
    text = " ".join(text.split())
    most = MOST_CHARACTERS[kind]
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def words(values: Any) -> tuple[str, ...]:
    """Short texts, each once, in their order."""
    given: Iterable[Any] = values if isinstance(values, (list, tuple)) else [values]
    found = dict.fromkeys(plain(value, "word") for value in list(given)[: 10 * MOST_WORDS])
    return tuple(word for word in found if word)[:MOST_WORDS]


def address(value: Any) -> str | None:
    """An http(s) address that a page may link; None for anything else (`javascript:`, names with passwords)."""
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS["url"]:
        return None
    text = value.strip()
    if re.search(r"[\x00-\x20<>\"'`{}|\\^\x7f-\xa0\ud800-\udfff]", text) or _HIDDEN.search(text):
        return None
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        _ = parts.port
    except ValueError:
        return None
    return text if known else None


def gather(found: Iterable[External | Refused], *, following: str | None = None) -> Read:
    """What was found; an id that comes twice counts once."""
    listings: dict[str, External] = {}
    refused: list[Refused] = []
    for each in found:
        if isinstance(each, Refused):
            refused.append(each)
        elif each.id in listings:
            refused.append(Refused(id=each.id, code="twice"))
        else:
            listings[each.id] = each
    return Read(listings=tuple(listings.values()), refused=tuple(refused), next=following)


def accept(**said: Any) -> External | Refused:
    """The listing, if it has an id and a title."""
    if not said["id"]:
        return Refused(id=said["title"][:100], code="no_id")
    if not said["title"]:
        return Refused(id=said["id"], code="no_title")
    return External(**said)
