"""The words of a question in a text as it is written, in pieces that a page may mark."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from catalog.terms.concepts import phrases_of
from catalog.terms.tokens import Token, tokens
from marketplace.search.question import Question
from marketplace.search.vocabulary import Vocabulary

SNIPPET: Final = 240
"""Characters."""
_BEFORE: Final = 60


class Piece(Struct, frozen=True):
    text: str
    hit: bool


class Marker:
    """Knows what to mark: words of the question, what they begin, and phrases that mean the same."""

    def __init__(self, question: Question, words: Vocabulary) -> None:
        strong = [unit for unit in question.units if not unit.weak] or question.units
        # The syllables of a phrase mean something else alone: "dân số" is not "con số".
        alone = [unit for unit in strong if unit.quoted or len(unit.words) == 1 or not unit.concepts]
        self._words = {word.folded: word.exact for unit in alone for word in unit.words}
        for unit in alone:
            last = unit.words[-1].folded
            if unit.open and len(last) > 1 and last in words.found:
                self._words |= dict.fromkeys(words.found[last].begun, "")
        self._phrases: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for concept in (concept for unit in question.units for concept in unit.concepts):
            for said, exact in phrases_of(concept).items():
                self._phrases.setdefault(said, set()).add(exact)
        self._longest = max(map(len, self._phrases), default=0)

    def pieces(self, text: str, *, most: int | None = None) -> tuple[Piece, ...]:
        """The whole text, or with `most` that many characters from shortly before the first hit."""
        text = unicodedata.normalize("NFC", text)
        spans = self._spans(tokens(text))
        start, end = _window(text, spans, most)
        made: list[Piece] = [Piece("…", False)] if start else []
        at = start
        for first, last in spans:
            if first < at or last > end:
                continue
            if first > at:
                made.append(Piece(text[at:first], False))
            made.append(Piece(text[first:last], True))
            at = last
        if at < end:
            made.append(Piece(text[at:end], False))
        return (*made, Piece("…", False)) if end < len(text) else tuple(made)

    def _spans(self, words: Sequence[Token]) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        at = 0
        while at < len(words):
            count = next((n for n in range(self._longest, 1, -1) if self._is_phrase(words[at : at + n], n)), 1)
            if count > 1 or self._is_word(words[at]) or self._is_phrase(words[at : at + 1], 1):
                first, last = words[at].start, words[at + count - 1].end
                if spans and spans[-1][1] + 1 == first:
                    spans[-1] = (spans[-1][0], last)
                else:
                    spans.append((first, last))
            at += count
        return spans

    def _is_word(self, word: Token) -> bool:
        typed = self._words.get(word.folded)
        return typed is not None and _is_written(word, typed)

    def _is_phrase(self, words: Sequence[Token], count: int) -> bool:
        ways = self._phrases.get(tuple(word.folded for word in words), ())
        return len(words) == count and any(all(map(_is_written, words, exact)) for exact in ways)


def _is_written(word: Token, exact: str) -> bool:
    """With other marks it is another; without any it may be this one."""
    return not exact or not word.exact or word.exact == exact


def _window(text: str, spans: Sequence[tuple[int, int]], most: int | None) -> tuple[int, int]:
    """Cut between words."""
    if most is None or len(text) <= most:
        return 0, len(text)
    start = max(0, (spans[0][0] if spans else 0) - _BEFORE)
    start = min(start, len(text) - most)
    if start:
        blank = text.find(" ", start, start + _BEFORE)
        start = blank + 1 if blank >= 0 else start
    end = min(len(text), start + most)
    blank = text.rfind(" ", start, end)
    return start, end if end == len(text) or blank <= start else blank
