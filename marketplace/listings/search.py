"""Search in the catalogue: folded words, each must begin a word of the listing; titles rank first."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Integer, and_, cast, func, literal, true

from catalog.search import fold
from marketplace.listings.models import Dataset

WORDS = 12
"""More words than this do not narrow a search; the rest is not looked at."""


def plain(text: str) -> str:
    """Folded words with one blank before each, so that " word" finds only beginnings of words."""
    return "".join(f" {word}" for word in re.findall(r"[0-9a-z]+", fold(text)))


def search_text(*, titles: Iterable[str], texts: Iterable[str]) -> str:
    """What `Dataset.search_text` holds: the first line is the titles, which rank before the second."""
    return plain(" ".join(titles)) + "\n" + plain(" ".join(texts))


def every_word(q: str) -> ColumnElement[bool]:
    """Listings in which every word of the question stands."""
    return and_(true(), *(Dataset.search_text.contains(word) for word in _words(q)))


def words_in_title(q: str) -> ColumnElement[int]:
    """How many of the words stand in a title: the rank."""
    title = func.split_part(Dataset.search_text, "\n", 1)
    rank: ColumnElement[int] = literal(0)
    for word in _words(q):
        rank = rank + cast(title.contains(word), Integer)
    return rank


def _words(q: str) -> list[str]:
    return [f" {word}" for word in plain(q).split()[:WORDS]]
