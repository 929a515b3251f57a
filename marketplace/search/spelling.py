"""What a mistyped word may have been: typed for an input method that was off, a letter off, run together."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from catalog.terms.tokens import forms
from marketplace.search.question import SYLLABLE

SYLLABLE_CHARACTERS: Final = 7
"""Of the longest ("nghieng")."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_VOWELS: Final = frozenset("aeiouyăâêôơư")
_TONES: Final = {
    "s": "\u0301", "f": "\u0300", "r": "\u0309", "x": "\u0303", "j": "\u0323",
    "1": "\u0301", "2": "\u0300", "3": "\u0309", "4": "\u0303", "5": "\u0323",
}  # fmt: skip
_MARKS: Final = {
    "w": {"a": "ă", "o": "ơ", "u": "ư"}, "a": {"a": "â"}, "e": {"e": "ê"}, "o": {"o": "ô"}, "d": {"d": "đ"},
    "6": {"a": "â", "e": "ê", "o": "ô"}, "7": {"o": "ơ", "u": "ư"}, "8": {"a": "ă"}, "9": {"d": "đ"},
}  # fmt: skip
_BESIDE: Final = frozenset("aeod")
"""Keys that are letters too: a mark only right behind the letter."""


def untyped(word: str) -> str:
    """A syllable in Telex or VNI ("daan", "da6n") with its marks; empty if it is none. Its tone stands on the last
    vowel, wherever it is written: to `catalog.terms.tokens` that is the same."""
    made: list[str] = []
    tone = ""
    for key in word.casefold():
        if key in _TONES and not _VOWELS.isdisjoint(made):
            tone = _TONES[key]
        elif not _marked(made, key):
            made.append(key)
    letters = "".join(made)
    if letters + tone == word.casefold() or not SYLLABLE.fullmatch(forms(letters)[0]):
        return ""
    end = 1 + max(at for at, letter in enumerate(made) if letter in _VOWELS)
    return unicodedata.normalize("NFC", letters[:end] + tone + letters[end:])


def _marked(made: list[str], key: str) -> bool:
    """Whether the key has put a mark on a letter before it: "uow" is "ươ"."""
    marks = _MARKS.get(key, {})
    first = max(len(made) - 1, 0) if key in _BESIDE else 0
    at = next((at for at in range(len(made) - 1, first - 1, -1) if made[at] in marks), None)
    if at is None:
        return False
    made[at] = marks[made[at]]
    if made[at] == "ơ" and made[at - 1 : at] == ["u"]:
        made[at - 1] = "ư"
    return True


def near(word: str) -> set[str]:
    """All that is one letter left out, put in, changed or exchanged with its neighbour."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    made = {head + tail[1:] for head, tail in cuts if tail}
    made |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    if len(word) > 3:
        made |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in _LETTERS}
        made |= {head + letter + tail for head, tail in cuts for letter in _LETTERS}
    return {each for each in made if len(each) > 1} - {word}


def parts(word: str) -> set[str]:
    """What `split` may split it into."""
    ends = ((start, end) for start in range(len(word)) for end in range(start + 2, len(word) + 1))
    return {word[start:end] for start, end in ends if end - start <= SYLLABLE_CHARACTERS}


def split(word: str, known: Mapping[str, int]) -> tuple[str, ...] | None:
    """Into the fewest words that there are, the commonest first; at most six."""
    best: list[tuple[int, int, tuple[str, ...]] | None] = [None] * (len(word) + 1)
    best[0] = (0, 0, ())
    for end in range(2, len(word) + 1):
        for start in range(max(0, end - SYLLABLE_CHARACTERS), end - 1):
            before, part = best[start], word[start:end]
            if before is None or part not in known:
                continue
            made = (before[0] + 1, min(before[1], -known[part]), (*before[2], part))
            if best[end] is None or made < best[end]:  # type: ignore[operator]
                best[end] = made
    found = best[-1]
    return found[2] if found and 1 < found[0] <= 6 else None


def distance(left: str, right: str, most: int) -> int:
    """Letters put in, left out, changed, or exchanged with a neighbour; beyond `most` only that it is more."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    rows = [list(range(len(right) + 1))]
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
