"""Terms of the common data dictionary that columns are named by, and which one a column is likely to be.

`terms.json` holds what the exchange ships, after the common data dictionary (Decision 2439/QĐ-TTg): ids are our
own, names are those that the national databases use for the same fields. `checked_by`: who confirmed a term.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from catalog.search import fold


class Term(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`words`: folded names by which columns call it, longest match first."""

    id: str
    vi: str
    en: str
    source: str
    words: tuple[str, ...]
    checked_by: str | None = None


@cache
def terms() -> tuple[Term, ...]:
    """All that are shipped."""
    return msgspec.json.decode(Path(__file__).with_name("terms.json").read_bytes(), type=tuple[Term, ...])


def term_of(term_id: str | None) -> Term | None:
    """The term with that id."""
    return next((term for term in terms() if term.id == term_id), None)


def suggest(name: str, meaning: str) -> str | None:
    """Id of the term whose longest word stands in the column's name or meaning."""
    said = f" {fold(name).replace('_', ' ')} {fold(meaning)} "
    found = [(len(word), term.id) for term in terms() for word in term.words if f" {word} " in said]
    return max(found)[1] if found else None
