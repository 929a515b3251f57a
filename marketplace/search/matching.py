"""A question as PostgreSQL is asked it: for each unit what matches it and how well."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from marketplace.search.lexemes import TITLE
from marketplace.search.question import Question, Unit
from marketplace.search.vocabulary import Vocabulary

SAID, MEANT, BEGUN = 1.0, 0.8, 0.6
"""A word that is said counts more than another for the same, and that more than one that only begins so."""
EXACT = 0.5
"""More, where its marks too are those of the question."""
WEAK = 0.1


class Way(Struct, frozen=True):
    """A tsquery, and what a match of it counts."""

    query: str
    weight: float


class Matched(Struct, frozen=True):
    """How a unit is matched. `listings`: in how many at most; `title`: the same in titles."""

    ways: tuple[Way, ...]
    weight: float
    listings: int
    title_listings: int

    @property
    def query(self) -> str:
        return either(way.query for way in self.ways if way.weight <= SAID)

    @property
    def title(self) -> str:
        """The same words, all of them in a title, side by side or not."""
        return _titled(self.query).replace("<->", "&")


def matched(unit: Unit, words: Vocabulary) -> Matched:
    """A quoted phrase as it stands; else its words in any place, or what means the same."""
    folded = [quoted(word.folded) for word in unit.words]
    if unit.quoted:
        ways = [Way(f"({' <-> '.join(folded)})", SAID)]
    else:
        ways = [Way(f"({' & '.join(folded)})", SAID)]
        ways += [Way(quoted(concept), MEANT) for concept in unit.concepts]
        *before, last = unit.words
        found = words.found.get(last.folded)
        if found and found.begun and (unit.open or not found.known):
            begun = either(quoted(word) for word in found.begun)
            ways.append(Way(f"({' & '.join([*(quoted(word.folded) for word in before), begun])})", BEGUN))
    exact = [word.exact for word in unit.words]
    if any(exact):
        marked = (quoted(word.exact or word.folded) for word in unit.words)
        ways.append(Way(f"({' & '.join(marked)})", SAID + EXACT))
    listings, titles = _listings(unit, words, ""), _listings(unit, words, TITLE)
    weight = math.log1p(words.total / max(min(listings, words.total), 1))
    return Matched(tuple(ways), weight * (WEAK if unit.weak else 1), listings, titles)


def _listings(unit: Unit, words: Vocabulary, sign: str) -> int:
    said = min(words.listings.get(sign + word.folded, 0) for word in unit.words)
    return max([said, *(words.listings.get(sign + concept, 0) for concept in unit.concepts)])


def loosened(question: Question) -> tuple[Unit, ...]:
    """What may be missing when nothing has all: each phrase, and each of its words."""
    return tuple(
        part
        for unit in question.required
        for part in ((unit, *(Unit((word,)) for word in unit.words)) if len(unit.words) > 1 else (unit,))
    )


def every(queries: Iterable[str]) -> str:
    return " & ".join(f"({query})" for query in queries)


def either(queries: Iterable[str]) -> str:
    return f"({' | '.join(queries)})"


def quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def narrowed(query: str, facets: Sequence[Sequence[str]]) -> str:
    """Of each facet one of the values chosen."""
    return every([*([query] if query else []), *(either(map(quoted, values)) for values in facets)])


def _titled(query: str) -> str:
    """Every lexeme of a query as a title has it."""
    parts = query.split("'")
    return "'".join(TITLE + part if at % 2 else part for at, part in enumerate(parts))
