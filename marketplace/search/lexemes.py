"""What a listing's row of the index holds: a lexeme for each thing that it may be found by.

`dan` a folded word, `dânS` as it is written, `~population` a concept and `@hue` a province that it speaks of,
`^dan` and `^~population` once more where they stand in a title, `theme:y tế` a facet, `released:2026-11`,
`released:2026q4` and `released:2026` when.
All but words as written stand once more as `!dan` in every 8th listing, `!!dan` in every 64th, `!!!dan` in every
256th: a search for what very many listings have reads the postings of such a sample.
Weights: A titles, B keywords, owner and place, C descriptions, D columns.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from catalog.terms.concepts import PLACE, mentions
from catalog.terms.tokens import Token, tokens
from marketplace.search.facets import VALUE_CHARACTERS, released_in

TITLE: Final = "^"
EVERYWHERE: Final = "province:all"
"""Of what is of no one province."""
SAMPLE: Final = "!"
SHARES: Final = (1, 8, 64, 256)
"""Of how many listings one is in the sample of each level; each sample is part of the one before."""
FORM: Final = 5
"""Of rows of the index: counted up when they come to hold something else."""
WORDS: Final = 1_200
"""Of a listing; what a longer one says after them is not found by its words."""
PLACES: Final = 40
"""Of a lexeme."""
FACETS: Final = 60
_GAP: Final = 20
"""Positions between two fields: words of different ones are no neighbours."""
PRICES_VND: Final = ((0, "free"), (1_000, "1000"), (10_000, "10000"), (100_000, "100000"))


class Column(Struct, frozen=True):
    name: str
    meanings: tuple[str, ...]


class Listing(Struct, frozen=True, kw_only=True):
    """What is said of a listing in public. `price_vnd` None: nothing is offered; `quality`: 0 to 100."""

    id: uuid.UUID
    names: tuple[str, ...]
    """Titles and the slug."""
    texts: tuple[str, ...]
    themes: tuple[str, ...]
    owner_name: str
    owner_slug: str
    spatial: str
    licence: str
    purposes: tuple[str, ...]
    columns: tuple[Column, ...]
    state_class: str | None
    price_vnd: int | None
    released_at: datetime
    quality: int | None = None


class Entry(Struct, frozen=True):
    """`words` is the text of a tsvector."""

    words: str
    lexemes: frozenset[str]
    facets: tuple[str, ...]
    title_words: int


def entry_of(listing: Listing) -> Entry:
    """The row of a listing."""
    made = _Places()
    title_words = made.add(listing.names, "A")
    made.add((*listing.themes, listing.owner_name, listing.spatial), "B")
    made.add(listing.texts, "C")
    made.add((part for each in listing.columns for part in (each.name, *each.meanings)), "D")
    facets = _facets(listing, made.provinces)
    places = {**made.found, **{facet: [] for facet in (*facets, *released_in(listing.released_at))}}
    lexemes = frozenset(each for each in places if each == each.lower() or ":" in each)
    signs = [SAMPLE * level for level in range(1, len(SHARES)) if listing.id.int % SHARES[level] == 0]
    sampled = {sign + each: places[each] for sign in signs for each in lexemes}
    return Entry(
        words=" ".join(_placed(lexeme, at) for lexeme, at in (places | sampled).items()),
        lexemes=lexemes,
        facets=facets,
        title_words=min(title_words, 1_000),
    )


class _Places:
    """Lexeme → where it stands and in what."""

    def __init__(self) -> None:
        self.found: defaultdict[str, list[str]] = defaultdict(list)
        self.provinces: dict[str, None] = {}
        self._next = 1
        self._left = WORDS

    def add(self, texts: Iterable[str], weight: str) -> int:
        """How many words there were."""
        count = 0
        for text in texts:
            words = tokens(text)[: self._left]
            self._left -= len(words)
            count += len(words)
            self._add(words, weight)
            self._next += len(words) + _GAP
        return count

    def _add(self, words: Sequence[Token], weight: str) -> None:
        said = mentions(words)
        # A word within a place's name is no such word: a listing of Điện Biên is none of electricity ("điện").
        places = [each for each in said if each.concepts[0].startswith(PLACE)]
        named = {number for each in places for number in range(each.first, each.last)}
        for number, word in enumerate(words):
            self._put(word.folded, number, weight)
            if word.exact and number not in named:
                self._put(word.exact, number, weight, shown=False)
        for mention in said:
            for concept in mention.concepts:
                self._put(concept, mention.first, weight)
                if concept.startswith(PLACE) and weight in "AB":
                    self.provinces[concept.removeprefix(PLACE)] = None

    def _put(self, lexeme: str, number: int, weight: str, *, shown: bool = True) -> None:
        places = self.found[lexeme]
        if len(places) < PLACES:
            places.append(f"{self._next + number}{weight}")
        if weight == "A" and shown and not self.found[TITLE + lexeme]:
            self.found[TITLE + lexeme].append(f"{self._next + number}D")


def _facets(listing: Listing, provinces: Iterable[str]) -> tuple[str, ...]:
    made = [f"theme:{plain_value(theme)}" for theme in listing.themes]
    made += [f"owner:{listing.owner_slug}", f"licence:{plain_value(listing.licence)}"]
    made += [f"province:{code}" for code in provinces] or [EVERYWHERE]
    made += [f"purpose:{purpose}" for purpose in listing.purposes]
    made.append(f"price:{price_band(listing.price_vnd)}")
    if listing.state_class is not None:
        made.append(f"class:{listing.state_class}")
    if listing.quality is not None:
        made.append(f"quality:{'high' if listing.quality >= 90 else 'fair' if listing.quality >= 70 else 'low'}")
    return tuple(dict.fromkeys(each[:VALUE_CHARACTERS] for each in made))[:FACETS]


def plain_value(text: str) -> str:
    """A theme or licence as a facet has it: however it is written, one."""
    return " ".join(unicodedata.normalize("NFC", text.replace("\x00", "")).casefold().split())


def price_band(price_vnd: int | None) -> str:
    """free | 1000 | 10000 | 100000 (at most so many đồng a query) | more | none."""
    if price_vnd is None:
        return "none"
    return next((name for most, name in PRICES_VND if price_vnd <= most), "more")


def _placed(lexeme: str, places: Sequence[str]) -> str:
    return f"{_quoted(lexeme)}:{','.join(places)}" if places else _quoted(lexeme)


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
