"""What of Solr's language a CKAN client may ask in: words, and `field:value`, all of which must hold."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

FIELDS: Final = ("id", "license_id", "name", "organization", "owner_org", "tags", "title")
IGNORED: Final = {"state:active", "dataset_type:dataset", "type:dataset", "private:false", "capacity:public"}
"""What holds of every listed dataset."""
MOST_TERMS: Final = 20
MOST_CHARACTERS: Final = 4_000
_TERM: Final = re.compile(r'\s*([+-]?)(?:([a-z_]+):)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')


class QueryNotUnderstood(Exception):
    """Says what was not."""


class Term(Struct, frozen=True):
    """A word of the question, or a field with its value; `wanted` false: it must not hold."""

    field: str | None
    value: str
    wanted: bool = True


def parse(text: str) -> tuple[Term, ...]:
    """Every term. Raises QueryNotUnderstood for what we do not search in, rather than answer another question."""
    if len(text) > MOST_CHARACTERS:
        raise QueryNotUnderstood(f"more than {MOST_CHARACTERS} characters")
    terms: list[Term] = []
    at = 0
    while text[at:].strip():
        match = _TERM.match(text, at)
        if match is None:
            raise QueryNotUnderstood(text[at:].strip()[:100])
        at = match.end()
        sign, field, quoted, bare = match.groups()
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
        _take(terms, sign, field, value, is_bare=quoted is None)
        if len(terms) > MOST_TERMS:
            raise QueryNotUnderstood(f"more than {MOST_TERMS} terms")
    return tuple(terms)


def _take(terms: list[Term], sign: str, field: str | None, value: str, *, is_bare: bool) -> None:
    if is_bare and (value in ("*:*", "AND", "*", "&&") or f"{field}:{value}" in IGNORED or value == ""):
        return
    if field is None and is_bare and (value in ("OR", "NOT", "||") or re.search(r"[\[\](){}^~:]", value)):
        raise QueryNotUnderstood(value[:100])
    if field is not None and field not in FIELDS:
        raise QueryNotUnderstood(f"{field}:")
    if field is not None and is_bare and re.search(r"[*?\[\](){}]", value):
        raise QueryNotUnderstood(f"{field}:{value[:100]}")
    terms.append(Term(field, value, sign != "-"))
