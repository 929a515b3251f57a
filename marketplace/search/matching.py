"""A question as PostgreSQL is asked it: for each unit what matches it and how well."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from catalog.terms.concepts import AGENCY, PLACE, related
from marketplace.search.lexemes import EVERYWHERE, TITLE
from marketplace.search.question import Question, Unit, parts_of
from marketplace.search.vocabulary import Vocabulary

SAID, MEANT, BEGUN, EXACT, OTHERWISE, NEAR = 1.0, 0.65, 0.6, 1.5, 0.4, 0.3
"""A word that is said counts more than another for the same, and that more than one that only begins so; most
where its marks too are those of the question; less where it has other marks or another meaning, least what is only
near to what is meant."""
NATIONWIDE = 1.0
"""Of a facet, which counts as little as a column: what is of the whole country is of a province too."""
PAIRS: Final = 3
"""Of a question that are looked for side by side."""
_LEXEME: Final = re.compile(r"'((?:[^'\\]|''|\\.)*)'")
WEAK, WHERE, WHO, PART, INSTEAD, SYLLABLE = 0.1, 0.6, 0.3, 0.3, 0.6, 0.35
"""What is said nearly everywhere, a place, an agency, a part of a phrase, what is near to one, one syllable of
two: each weighs less than what it is asked with."""


class Way(Struct, frozen=True):
    """A tsquery, what a match of it counts (0: it only makes one), whether it makes a match or only ranks one, and
    whether the words must stand side by side (which a rank does not ask)."""

    query: str
    weight: float
    finds: bool = True
    adjacent: bool = False


class Matched(Struct, frozen=True):
    """How a unit is matched. `listings`: in how many at most; `title`: the same in titles; `missed`: a listing
    without it lacks something."""

    ways: tuple[Way, ...]
    weight: float
    listings: int
    title_listings: int
    missed: bool = True

    @property
    def query(self) -> str:
        return either(way.query for way in self.ways if way.finds)

    @property
    def title(self) -> str:
        """The same words, all of them in a title, side by side or not."""
        return signed(self.query, TITLE).replace("<->", "&")


def matched(unit: Unit, words: Vocabulary, *, share: float = 1.0, near: Sequence[str] = ()) -> Matched:
    """A quoted or a known phrase as it stands; else the word, or what means the same, or is `near` to that."""
    ways = _said(unit)
    if not unit.quoted:
        ways += [Way(quoted(concept), MEANT) for concept in unit.concepts]
        ways += [Way(quoted(concept), NEAR / (1 + number / 2)) for number, concept in enumerate(near)]
        ways += _begun(unit, words)
    is_place = any(concept.startswith(PLACE) for concept in unit.concepts)
    if is_place:
        ways.append(Way(quoted(EVERYWHERE), NATIONWIDE))
    listings = max([_listings(unit, words, ""), *(words.listings.get(each, 0) for each in near)])
    weight = _rarity(listings, words) * share
    is_agency = any(concept.startswith(AGENCY) for concept in unit.concepts)
    weight *= WEAK if unit.weak else WHERE if is_place else WHO if is_agency else 1
    also = (*near, EVERYWHERE) if is_place else near
    anywhere, in_titles = (
        _at_most(unit, words, sign) + sum(words.listings.get(sign + each, 0) for each in also)
        for sign in ("", TITLE)
    )
    return Matched(tuple(ways), weight, anywhere, in_titles)


def _said(unit: Unit) -> list[Way]:
    """Its words. A single one that stands with other marks, or where nothing speaks of its meaning, is another."""
    folded = [quoted(word.folded) for word in unit.words]
    exact = [quoted(word.exact or word.folded) for word in unit.words] if any(w.exact for w in unit.words) else []
    phrase = unit.quoted or (len(folded) > 1 and bool(unit.concepts))
    join = " <-> " if phrase else " & "
    single = len(folded) == 1 and not unit.quoted
    weight = OTHERWISE if single and (exact or unit.concepts) else SAID
    ways = [Way(f"({join.join(folded)})", weight, finds=unit.quoted or not phrase, adjacent=phrase)]
    if exact:
        ways.append(Way(f"({join.join(exact)})", EXACT, finds=False, adjacent=phrase))
    elif single and unit.concepts:
        ways.append(Way(every([*folded, either(map(quoted, unit.concepts))]), SAID, finds=False))
    return ways


def ranked(question: Question, words: Vocabulary) -> tuple[Matched, ...]:
    """By what listings that have all that is asked are ranked."""
    halves = {unit for pair in question.pairs for unit in pair}
    units = [matched(unit, words, share=SYLLABLE if unit in halves else 1.0) for unit in question.units]
    return (*units, *_pairs(question, words))


def _pairs(question: Question, words: Vocabulary) -> list[Matched]:
    """Syllables side by side; found by both anywhere, which is no more than either."""
    made = []
    for left, right in question.pairs[:PAIRS]:
        both = (left.words[0], right.words[0])
        folded = [quoted(word.folded) for word in both]
        exact = [quoted(word.exact or word.folded) for word in both]
        ways = [Way(every(folded), 0), Way(f"({' <-> '.join(folded)})", SAID, finds=False, adjacent=True)]
        if any(word.exact for word in both):
            ways.append(Way(f"({' <-> '.join(exact)})", EXACT, finds=False, adjacent=True))
        listings, in_titles = (
            min(words.listings.get(sign + word.folded, 0) for word in both) for sign in ("", TITLE)
        )
        if listings:
            made.append(Matched(tuple(ways), _rarity(listings, words), listings, in_titles, missed=False))
    return made


def _rarity(listings: int, words: Vocabulary) -> float:
    return math.log1p(words.total / max(min(listings, words.total), 1))


def _begun(unit: Unit, words: Vocabulary) -> list[Way]:
    begun = _beginnings(unit, words)
    before = (quoted(word.folded) for word in unit.words[:-1])
    return [Way(every([*before, either(map(quoted, begun))]), BEGUN)] if begun else []


def _beginnings(unit: Unit, words: Vocabulary) -> tuple[str, ...]:
    """What its last word begins; a known phrase as it stands is no beginning of another, nor is a word with its
    marks, which are typed last."""
    last = unit.words[-1]
    found = words.found.get(last.folded)
    if not found or (found.known and (unit.concepts or last.exact or not unit.open)):
        return ()
    return found.begun


def _listings(unit: Unit, words: Vocabulary, sign: str) -> int:
    said = min(words.listings.get(sign + word.folded, 0) for word in unit.words)
    return max([said, *(words.listings.get(sign + concept, 0) for concept in unit.concepts)])


def _at_most(unit: Unit, words: Vocabulary, sign: str) -> int:
    """With what its last word begins."""
    begun = sum(words.listings.get(sign + word, 0) for word in _beginnings(unit, words))
    before = (words.listings.get(sign + word.folded, 0) for word in unit.words[:-1])
    return _listings(unit, words, sign) + min([begun, *before])


def loosened(question: Question, words: Vocabulary) -> tuple[Matched, ...]:
    """What may be missing when nothing has all: each phrase, and what it is made of; the rarest first. Where none
    speaks of what a phrase means, the phrases in it weigh in full. What stands nowhere is not missed."""
    parts = _pairs(question, words)
    halves = {unit for pair in question.pairs for unit in pair}
    for unit in question.required:
        lacks, near = _lacks(unit, words), near_to(unit)
        if _stands(unit, words, near):
            share = INSTEAD if lacks else SYLLABLE if unit in halves else 1
            parts.append(matched(unit, words, share=share, near=near))
        parts += [
            matched(part, words, share=1 if lacks and part.concepts else PART)
            for part in parts_of(unit)
            if _stands(part, words)
        ]
    return tuple(sorted(parts, key=lambda each: -each.weight))


def _stands(unit: Unit, words: Vocabulary, near: Sequence[str] = ()) -> bool:
    """Some listing may have it: what it means, or each of its words."""
    if any(each in words.listings for each in (*unit.concepts, *near)):
        return True
    said = all(word.folded in words.listings for word in unit.words[:-1])
    ends = unit.words[-1].folded in words.listings or bool(_beginnings(unit, words))
    return said and ends and (len(unit.words) == 1 or not unit.concepts)


def _lacks(unit: Unit, words: Vocabulary) -> bool:
    """No listing speaks of what it means."""
    return bool(unit.concepts) and not any(each in words.listings for each in unit.concepts)


def near_to(unit: Unit) -> tuple[str, ...]:
    """Concepts that may help instead of those that it means."""
    return tuple(dict.fromkeys(each for concept in unit.concepts for each in related().get(concept, ())))


def every(queries: Iterable[str]) -> str:
    """Of none: nothing, which every listing has."""
    joined = " & ".join(queries)
    return f"({joined})" if joined else ""


def either(queries: Iterable[str]) -> str:
    return f"({' | '.join(queries)})"


def quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def narrowed(query: str, facets: Sequence[Sequence[str]]) -> str:
    """Of each facet one of the values chosen."""
    return every([*([query] if query else []), *(either(map(quoted, values)) for values in facets)])


def signed(query: str, sign: str) -> str:
    """Every lexeme of a query as it stands in titles, or in a sample."""
    return _LEXEME.sub(lambda found: f"'{sign}{found[1]}'", query)
