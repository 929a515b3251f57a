"""What somebody typed, as units that a listing should speak of: phrases in quotes, known phrases, single words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec
from msgspec import Struct

from catalog.terms.concepts import AGENCY, PLACE, Mention, mentions, weak_phrases
from catalog.terms.tokens import Token, tokens

WORDS: Final = 12
"""More words than this do not narrow a search; the rest is not looked at."""
CHARACTERS: Final = 200
_QUOTED = re.compile(r"[\"“”«](.+?)[\"“”»]")
_WEAK: Final = frozenset(" ".join(word.folded for word in words) for words in weak_phrases())
"""Said of nearly every listing: they weigh little, and none is missed for lacking one."""
_WEAK_EXACT: Final = frozenset(words[0].exact for words in weak_phrases() if len(words) == 1) | {""}
_WEAK_WORDS: Final = 3
SYLLABLE: Final = re.compile(
    r"(ngh?|gh?|kh|ph|th|tr|ch|nh|qu|gi|[bcdhklmnprstvx])?(?![aeiouy]?(?:aa|ee|ii|oo))[aeiouy]{1,3}(ng|nh|ch|[cmnpt])?"
)
"""Of Vietnamese, folded; with the same vowel twice it is typed in telex."""


class Unit(Struct, frozen=True):
    words: tuple[Token, ...]
    concepts: tuple[str, ...] = ()
    quoted: bool = False
    weak: bool = False
    open: bool = False
    """Its last word may go on: somebody is still typing it, or put a star behind it."""

    @property
    def is_syllable(self) -> bool:
        """No word of itself, as it seems, but a syllable of one that nobody told us of."""
        plain = len(self.words) == 1 and not (self.concepts or self.quoted or self.weak)
        return plain and SYLLABLE.fullmatch(self.words[0].folded) is not None


class Question(Struct, frozen=True):
    """`text`: what it was read from."""

    units: tuple[Unit, ...]
    text: str = ""

    @property
    def spelled(self) -> dict[str, str]:
        """Folded word → as it was typed: of "thuees" the last letter is no plural."""
        return {word.folded: self.text[word.start : word.end] for word in tokens(self.text)}

    @property
    def required(self) -> tuple[Unit, ...]:
        """What a listing must have; where all is weak, that."""
        return tuple(unit for unit in self.units if not unit.weak) or self.units

    @property
    def words(self) -> tuple[Token, ...]:
        return tuple(word for unit in self.units for word in unit.words)

    @property
    def pairs(self) -> tuple[tuple[Unit, Unit], ...]:
        """Neighbouring syllables: most words of Vietnamese have two, and each alone means something else."""
        return tuple(
            (left, right) for left, right in pairwise(self.units) if left.is_syllable and right.is_syllable
        )


def read_question(q: str) -> Question:
    """Never fails: what holds no word asks nothing."""
    q = q[:CHARACTERS].replace("\x00", " ")
    units: list[Unit] = []
    left = WORDS
    end = 0
    for match in _QUOTED.finditer(q):
        units += _units(q[end : match.start()])
        phrase = tokens(match[1])
        if phrase:
            units.append(Unit(phrase, quoted=True))
        end = match.end()
    units += _units(q[end:])
    kept: list[Unit] = []
    for unit in units:
        if len(unit.words) <= left:
            kept.append(unit)
            left -= len(unit.words)
    return Question(tuple(kept), q)


def parts_of(unit: Unit) -> tuple[Unit, ...]:
    """A phrase as the shorter phrases and words that it is made of, syllables aside; of a word, a place, a quote
    none."""
    is_name = any(concept.startswith((PLACE, AGENCY)) for concept in unit.concepts)
    if unit.quoted or len(unit.words) == 1 or is_name:
        return ()
    return tuple(part for part in _segments(unit.words, most=len(unit.words) - 1) if not part.is_syllable)


def _units(text: str) -> list[Unit]:
    words = tokens(text)[: 2 * WORDS]
    units = _segments(words, most=len(words))
    goes_on = text.endswith("*") or text[-1:].isalnum()
    ends = {words[at].end for at in range(len(words)) if text[words[at].end :][:1] == "*"}
    return [
        msgspec.structs.replace(unit, open=(goes_on and number == len(units) - 1) or unit.words[-1].end in ends)
        for number, unit in enumerate(units)
    ]


def _segments(words: Sequence[Token], *, most: int) -> list[Unit]:
    """The fewest units that it can be read as, of known phrases of at most so many words: "lượng · khách quốc tế",
    not "lượng khách · quốc · tế"; of two such the one with the longer phrase first."""
    said: dict[int, dict[int, tuple[str, ...]]] = {}
    for mention in _merged(mentions(words, lenient=True, most=most), most=most):
        said.setdefault(mention.first, {})[mention.last] = mention.concepts
    best: list[list[Unit]] = [[]]
    for at in reversed(range(len(words))):
        ways = ([unit, *best[len(unit.words) - 1]] for unit in _units_at(words, at, said.get(at, {})))
        best.insert(0, min(ways, key=len))
    return best[0]


def _merged(found: Sequence[Mention], *, most: int) -> Iterator[Mention]:
    """Phrases, and what two that overlap and mean the same say together: "tiền điện sinh hoạt"."""
    yield from found
    for left in found:
        for right in found:
            overlap = left.first < right.first < left.last < right.last <= left.first + most
            if overlap and left.concepts == right.concepts:
                yield Mention(left.first, right.last, left.concepts)


def _units_at(words: Sequence[Token], at: int, said: Mapping[int, tuple[str, ...]]) -> Iterator[Unit]:
    """What may begin there, the longest first; what says nothing before what has a meaning of that length."""
    for last in range(len(words), at, -1):
        part = tuple(words[at:last])
        if len(part) <= _WEAK_WORDS and _is_weak(part):
            yield Unit(part, weak=True)
        elif last in said:
            yield Unit(part, said[last])
        elif len(part) == 1:
            yield Unit(part)


def _is_weak(words: Sequence[Token]) -> bool:
    """Words with marks are judged as written: "tính" is not "tỉnh"."""
    return " ".join(word.folded for word in words) in _WEAK and (len(words) > 1 or words[0].exact in _WEAK_EXACT)
