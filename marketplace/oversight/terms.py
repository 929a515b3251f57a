"""What an event is found by: a term for each thing that a search may name, in one place for index and search."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

from msgspec import Struct

from catalog.search import plain

MAX_WORDS = 96
"""Of one event; what a longer text says after them is not found by its words."""
MAX_VND = 2**62
WORDS = 12
"""Of a search; the rest is not looked at."""
_OPAQUE = re.compile(r"[0-9a-fA-F-]{16,}|\d{4}-\d\d-\d\dT.*")
"""Ids, hashes and instants: nobody searches for a part of them, and each would be a word of its own."""
_WORD = re.compile(r"\d{1,8}|(?=.*[a-z])[0-9a-z]{1,32}")
_UNREAD = "log:"
"""Events that tell what somebody searched for: their words would find the search, not what it was about."""


class Recorded(Protocol):
    """The columns of an event that terms are made of."""

    name: Any
    parties: Any
    actor_person_id: Any
    dataset_id: Any
    agreement_id: Any
    purpose: Any
    price_vnd: Any
    body: Any


class About(Struct, frozen=True, kw_only=True):
    """What the rows an event names say: classes of its dataset's version, names of dataset and organisations."""

    state_class: str | None = None
    subject_class: str | None = None
    names: tuple[str, ...] = ()


def party(organisation_id: object) -> str:
    return f"o:{organisation_id}"


def person(person_id: object) -> str:
    return f"i:{person_id}"


def dataset(dataset_id: object) -> str:
    return f"d:{dataset_id}"


def agreement(agreement_id: object) -> str:
    return f"g:{agreement_id}"


def named(name: object) -> str:
    return f"n:{name}"


def purposed(purpose: object) -> str:
    return f"p:{purpose}"


def of_state_class(state_class: object) -> str:
    return f"c:{state_class}"


def of_subject_class(subject_class: object) -> str:
    """none | basic | sensitive: the most that the dataset's columns tell about a data subject."""
    return f"s:{subject_class}"


def decided(decision: object) -> str:
    """allow | deny."""
    return f"v:{decision}"


def reason(code: object) -> str:
    return f"r:{code}"


def word(folded: str) -> str:
    """A whole word, or the beginning of one."""
    return f"w:{folded}"


def amounts(least_vnd: int, most_vnd: int) -> tuple[str, ...]:
    """Buckets that hold every amount between: four an octave, so that an amount is found within 19 %."""
    return tuple(f"m:{bucket}" for bucket in range(_bucket(least_vnd), _bucket(most_vnd) + 1))


def words_of(text: str) -> tuple[str, ...]:
    """The folded words of a text that are kept; of an id, a hash or an instant none."""
    return () if _OPAQUE.fullmatch(text) else tuple(each for each in plain(text).split() if _WORD.fullmatch(each))


def beginnings(q: str) -> tuple[str, ...]:
    """What somebody typed, as terms or the beginnings of terms; as many words as a search looks at."""
    return tuple(word(each) for each in plain(q).split()[:WORDS])


def terms_of(event: Recorded, about: About) -> set[str]:
    """All terms of one event."""
    terms = {named(event.name), *(party(each) for each in event.parties)}
    for value, term in (
        (event.actor_person_id, person), (event.dataset_id, dataset), (event.agreement_id, agreement),
        (event.purpose, purposed), (about.state_class, of_state_class), (about.subject_class, of_subject_class),
    ):  # fmt: skip
        if value is not None:
            terms.add(term(value))
    if event.price_vnd is not None:
        terms.update(amounts(event.price_vnd, event.price_vnd))
    terms.update(_decision(event.body.get("decision")))
    if not event.name.startswith(_UNREAD):
        terms.update(_words(event.body, about.names))
    return terms


def _decision(told: Any) -> Iterator[str]:
    """Of a decision as `audit.sealing.told` writes it."""
    if not isinstance(told, dict) or "allow" not in told:
        return
    yield decided("allow" if told["allow"] else "deny")
    yield from (reason(each["code"]) for each in told.get("reasons", ()))


def _words(body: dict[str, Any], names: Sequence[str]) -> Iterable[str]:
    texts = list(names)
    _gather(body, texts)
    found = {term for text in texts for term in _word_terms(text)}
    if len(found) <= MAX_WORDS:
        return found
    return islice(dict.fromkeys(term for text in texts for term in _word_terms(text)), MAX_WORDS)


def _gather(value: Any, texts: list[str]) -> None:
    """Every text in the body, in its order; keys are ours and say nothing."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, dict):
        for each in value.values():
            _gather(each, texts)
    elif isinstance(value, list):
        for each in value:
            _gather(each, texts)


@lru_cache(maxsize=8192)
def _word_terms(text: str) -> tuple[str, ...]:
    return tuple(word(each) for each in words_of(text))


def _bucket(amount_vnd: int) -> int:
    return 0 if amount_vnd < 1 else 1 + int(4 * math.log2(min(amount_vnd, MAX_VND)))
