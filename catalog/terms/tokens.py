"""Words of a text, each folded and as it is written, in one place for what is stored, asked and highlighted."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from msgspec import Struct

from catalog.search import fold

CHARACTERS: Final = 40
"""Of a word; what comes after them is not looked at."""
_WORD = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_\u0300-\u036f]*)*")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TONES: Final = {"\u0300": "F", "\u0301": "S", "\u0309": "R", "\u0303": "X", "\u0323": "J"}
"""Capital letters, which no folded word has."""
_I_OR_Y = re.compile(r"(h|k|l|m|s|t|qu)y")
_VOWEL = re.compile(r"[aeiouy]")
_SIBILANT = ("sses", "xes", "zes", "ches", "shes")


class Token(Struct, frozen=True):
    """A word at text[start:end]. `folded` has a–z and 0–9 only; `exact` keeps its marks, and is empty without."""

    start: int
    end: int
    folded: str
    exact: str


def tokens(text: str) -> tuple[Token, ...]:
    """The words of a text in their order; "soLoi" and "so_loi" are two, signs are none."""
    found = []
    for match in _WORD.finditer(text):
        start = match.start()
        for part in _HUMP.split(match[0]):
            folded, exact = forms(part[:CHARACTERS])
            if folded:
                found.append(Token(start, start + len(part), folded, exact))
            start += len(part)
    return tuple(found)


@lru_cache(maxsize=65_536)
def forms(word: str) -> tuple[str, str]:
    """Folded, and exact. Old and new spellings (hòa, hoà; kỹ, kĩ) are one, and so are English plurals."""
    folded = re.sub(r"[^0-9a-z]", "", fold(word))
    marks = unicodedata.normalize("NFD", word.casefold())
    tone = "".join(_TONES[c] for c in marks if c in _TONES)
    letters = unicodedata.normalize("NFC", "".join(c for c in marks if c not in _TONES))
    if not tone and letters == folded:
        return _alike(_singular(folded)), ""
    return _alike(folded), _alike(letters) + tone


def _alike(word: str) -> str:
    """Syllables that are written with i or y."""
    return word[:-1] + "i" if _I_OR_Y.fullmatch(word) else word


def _singular(word: str) -> str:
    """No Vietnamese syllable ends in s; initials may ("DTTS")."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")) or not _VOWEL.search(word):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(_SIBILANT) else word[:-1]
