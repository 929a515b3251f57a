"""What words mean: groups of phrases that say the same, and provinces before and after the reform of 2025."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct

from catalog.terms.tokens import Token, tokens

FOLDER: Final = Path(__file__).parent
SYNONYM, PLACE, AGENCY = "~", "@", "#"
"""First sign of a concept: ~population, @ha-noi, #bo-y-te."""
INITIALS: Final = 6
"""Of so many words at most."""


class Phrase(Struct, frozen=True):
    """A way to say a concept, or with none a compound; `exact` as `Token.exact`, word by word."""

    concept: str
    exact: tuple[str, ...]


class Mention(Struct, frozen=True):
    """Words first to last - 1 of a text say these concepts."""

    first: int
    last: int
    concepts: tuple[str, ...]


def mentions(words: Sequence[Token], *, lenient: bool = False, most: int | None = None) -> list[Mention]:
    """Every phrase, of `most` words at most, that stands in the text; within a longer one only if it is no single
    word, in a place never.

    Where the text has marks a phrase must have the same ("thuê" is not "thuế"); without any it may have none, and
    with `lenient` (what somebody types) any word may be without, and in a phrase of several may have wrong ones;
    but who types marks means a word without ("mua" is not "mưa").
    """
    found = [each for each in _said(words, lenient=lenient) if most is None or each.last - each.first <= most]
    spoken = (each for each in found if each.concepts)
    return [each for each in spoken if not any(_hides(longer, each) for longer in found)]


def _hides(longer: Mention, each: Mention) -> bool:
    within = longer.first <= each.first and each.last <= longer.last
    if not within or longer.last - longer.first <= each.last - each.first:
        return False
    return each.last - each.first == 1 or any(concept.startswith(PLACE) for concept in longer.concepts)


def _said(words: Sequence[Token], *, lenient: bool) -> Iterator[Mention]:
    known, begun = _phrases(), _beginnings()
    folded = tuple(word.folded for word in words)
    marked = sum(bool(word.exact) for word in words)
    careful = marked > max(1, len(words) // 2)
    for first in range(len(words)):
        for last in range(first + 1, len(words) + 1):
            if folded[first : last - 1] not in begun:
                break
            found = known.get(folded[first:last])
            if found is None:
                continue
            span = words[first:last]
            bare = not marked or (lenient and not (careful and len(span) == 1))
            said = [each.concept for each in found if _as_written(span, each, bare=bare)]
            if lenient and not said and len(span) > 1:
                said = [each.concept for each in found]
            if said:
                yield Mention(first, last, tuple(dict.fromkeys(each for each in said if each)))


def _as_written(span: Sequence[Token], phrase: Phrase, *, bare: bool) -> bool:
    both = zip(span, phrase.exact, strict=True)
    return all(word.exact == exact or (bare and not word.exact) for word, exact in both)


def phrases_of(concept: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Every way to say a concept: folded words → with their marks, as `Token.exact`."""
    return {words: each.exact for words, found in _phrases().items() for each in found if each.concept == concept}


@cache
def related() -> dict[str, tuple[str, ...]]:
    """Concept → those that may help where nothing speaks of it, the nearest first; of a region its provinces."""
    parts = (line.partition(":") for line in _lines("related.txt"))
    provinces = places()

    def sign(code: str) -> str:
        return (PLACE if code in provinces else SYNONYM) + code

    return {SYNONYM + _code(name): tuple(sign(_code(each)) for each in rest.split(",")) for name, _, rest in parts}


@cache
def phrases_by_initials() -> dict[str, tuple[tuple[str, tuple[str, ...]], ...]]:
    """Initials ("gv") → what is written so ("giáo viên"): concept and folded words; places stand in their file."""
    found: dict[str, dict[tuple[str, ...], str]] = {}
    for words, phrases in _phrases().items():
        if 1 < len(words) <= INITIALS and phrases[0].concept.startswith(SYNONYM):
            found.setdefault("".join(word[0] for word in words), {}).setdefault(words, phrases[0].concept)
    return {said: tuple((concept, words) for words, concept in each.items()) for said, each in found.items()}


@cache
def places() -> dict[str, str]:
    """Code of each of the 34 provinces → its name."""
    return {_code(line.partition(":")[0]): line.partition(":")[0].strip() for line in _lines("places.txt")}


@cache
def weak_phrases() -> tuple[tuple[Token, ...], ...]:
    """What is said of nearly every listing: it weighs little, and none is missed for lacking it."""
    return tuple(map(tokens, _lines("weak.txt")))


@cache
def edition() -> str:
    """Changes with the files, so that listings are read anew."""
    files = ("synonyms.txt", "places.txt", "agencies.txt", "compounds.txt")
    text = "".join((FOLDER / name).read_text(encoding="utf-8") for name in files)
    return sha256(text.encode()).hexdigest()[:16]


@cache
def _phrases() -> dict[tuple[str, ...], tuple[Phrase, ...]]:
    known: dict[tuple[str, ...], tuple[Phrase, ...]] = {}
    for sign, file in ((SYNONYM, "synonyms.txt"), (PLACE, "places.txt"), (AGENCY, "agencies.txt")):
        for line in _lines(file):
            name, _, rest = line.partition(":")
            for said in (name, *rest.split(",")):
                _add(known, sign + _code(name), said)
    for line in _lines("compounds.txt"):
        for said in line.split(","):
            _add(known, "", said)
    return known


@cache
def _beginnings() -> frozenset[tuple[str, ...]]:
    """What some phrase goes on after: most words of a text begin none, and no longer span need be looked up."""
    return frozenset(phrase[:length] for phrase in _phrases() for length in range(len(phrase)))


def _add(known: dict[tuple[str, ...], tuple[Phrase, ...]], concept: str, said: str) -> None:
    words = tokens(said)
    key = tuple(word.folded for word in words)
    if key:
        phrase = Phrase(concept, tuple(word.exact for word in words))
        known[key] = tuple(dict.fromkeys((*known.get(key, ()), phrase)))


def _code(name: str) -> str:
    return "-".join(word.folded for word in tokens(name))


def _lines(file: str) -> list[str]:
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]
