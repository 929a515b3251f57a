"""Finds listings: candidates by the index, a bounded number of them ranked, the best of those given.

Work has a bound whatever is asked: some `CANDIDATES` listings are ranked, those with all words in a title first.
Where even the rarest word stands in so many listings that reading its postings would take long, those of a sample
of the listings are read instead.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.search.facets import (
    CHOICES,
    FRESHNESS,
    RELEASED,
    VALUE_CHARACTERS,
    Chosen,
    Facet,
    codes,
    facets_of,
    released_since,
)
from marketplace.search.matching import Matched, every, loosened, matched, narrowed, ranked
from marketplace.search.mending import mended
from marketplace.search.question import Question, read_question
from marketplace.search.statement import CANDIDATES, FIRST, Ask, Tier, rarest, statement
from marketplace.search.vocabulary import Vocabulary, look_up

ENOUGH: Final = 3
"""With fewer hits, listings that lack some of the words are shown after them."""
_PARTS: Final = 8
"""Of a question that may be missing one another, the rarest."""
COMMON: Final = 60_000
"""Listings that hold a word: it finds none of them by itself where a question has others."""
OFTEN: Final = 5
"""Of so many listings one has what is very common."""


class Hit(Struct, frozen=True):
    listing_id: uuid.UUID
    score: float


class Found(Struct, frozen=True, kw_only=True):
    """`listings`: how many were found; `more`: at least so many, and facets are counted in those. `question` is
    what was looked for, `was_mended`: it is not what was typed, `partly`: some lack words of it."""

    hits: tuple[Hit, ...]
    listings: int
    more: bool
    facets: tuple[Facet, ...]
    question: Question
    words: Vocabulary
    was_mended: bool
    partly: bool


async def find(
    session: AsyncSession,
    q: str,
    *,
    at: datetime,
    limit: int,
    chosen: Chosen | None = None,
    after: Hit | None = None,
    among: uuid.UUID | None = None,
    newest_first: bool = False,
) -> Found:
    """The best `limit` listings after `after`, of all if `q` has no word; `among`: of that one alone; with
    `newest_first` those are ranked that match best, and shown by their release."""
    chosen = _bounded(chosen or {})
    typed = read_question(q)
    question, words = await _understood(session, typed, chosen, at=at)
    strict = tuple(matched(unit, words) for unit in question.required)
    ask = Ask(
        tiers=_tiers(strict, chosen, words, at=at),
        units=ranked(question, words),
        words_asked=len(question.words),
        since=released_since(chosen, at),
        at=at,
        after=(after.score, after.listing_id) if after else FIRST,
        limit=limit,
        among=among,
        narrowing=() if strict else _looked_at(chosen, words, at=at),
        newest_first=newest_first,
    )
    row = await _run(session, ask, _besides(ask, strict, chosen, words))
    loose = () if among else _loosened(question, strict, chosen, words, ask=ask, found=row.listings)
    shown = await _run(session, loose[0]) if loose else row
    return _found(row, shown, chosen, question=question, words=words, was_mended=question is not typed)


def _found(
    strict: Any, shown: Any, chosen: Chosen, *, question: Question, words: Vocabulary, was_mended: bool
) -> Found:
    """What else could be chosen is counted where no word is lacking."""
    counted = _counted(shown)
    most = {name: _most(each, counted.get(name, {})) for name, each in _besides_of(strict).items()}
    return Found(
        hits=tuple(Hit(uuid.UUID(listing), score) for listing, score in shown.hits),
        listings=shown.listings,
        more=shown.more,
        facets=facets_of(counted | most, chosen),
        question=question,
        words=words,
        was_mended=was_mended,
        partly=shown.listings > strict.listings,
    )


async def _understood(
    session: AsyncSession, typed: Question, chosen: Chosen, *, at: datetime
) -> tuple[Question, Vocabulary]:
    """As it was typed where there is nothing to mend."""
    narrowing = [code for each in codes(chosen, at=at) for code in each]
    words = await look_up(session, typed, narrowing)
    better = mended(typed, words)
    return (typed, words) if better is None else (better, await look_up(session, better, narrowing))


def _loosened(
    question: Question,
    strict: tuple[Matched, ...],
    chosen: Chosen,
    words: Vocabulary,
    *,
    ask: Ask,
    found: int,
) -> tuple[Ask, ...]:
    """What is asked where few have all that was: none, or one. By date what lacks words would stand first."""
    if found >= (1 if ask.newest_first else ENOUGH):
        return ()
    parts = loosened(question, words)[:_PARTS]
    if not parts or (len(parts) == 1 and parts == strict):
        return ()
    # What found nothing needs no second look.
    tiers = (*(ask.tiers if found else ()), *_loose(parts, chosen, words, at=ask.at))
    if not tiers:
        return ()
    return (msgspec.structs.replace(ask, tiers=tiers, units=parts, whole=ask.tiers[-1].query),)


async def _run(session: AsyncSession, ask: Ask, besides: Mapping[str, Ask] | None = None) -> Any:
    sql, values = statement(ask, besides or {})
    return (await (await session.connection()).exec_driver_sql(sql, values)).one()


def _tiers(
    units: tuple[Matched, ...], chosen: Chosen, words: Vocabulary, *, at: datetime, besides: str = ""
) -> tuple[Tier, ...]:
    """All words in a title, where there are more listings than can be ranked; then all words anywhere."""
    narrow = _narrow(chosen, words, at=at, besides=besides, by_words=bool(units))
    fewest = min((sum(words.listings.get(code, 0) for code in each) for each in narrow), default=words.total)
    anywhere = Tier(narrowed(every(unit.query for unit in units), narrow), min(rarest(units), fewest))
    if not units or rarest(units) <= CANDIDATES:
        return (anywhere,)
    in_titles = narrowed(every(unit.title for unit in units), narrow)
    first = Tier(in_titles, min(rarest(units, titles=True), fewest))
    return (first, msgspec.structs.replace(anywhere, most=CANDIDATES // 2))


def _loose(parts: tuple[Matched, ...], chosen: Chosen, words: Vocabulary, *, at: datetime) -> tuple[Tier, ...]:
    """What is said of very many listings finds none of them by itself."""
    narrow = _narrow(chosen, words, at=at, by_words=True)
    queries = ((narrowed(part.query, narrow), part.listings) for part in parts if part.listings <= COMMON)
    return tuple(Tier(query, listings, CANDIDATES // _PARTS) for query, listings in queries)


def _narrow(
    chosen: Chosen, words: Vocabulary, *, at: datetime, by_words: bool, besides: str = ""
) -> list[list[str]]:
    """What is chosen, where the index narrows by it: beside words all that is, for rows are far apart."""
    each_facet = codes(chosen, at=at, besides=besides)
    return [each for each in each_facet if by_words or not _is_common(each, words)]


def _looked_at(
    chosen: Chosen, words: Vocabulary, *, at: datetime, besides: str = ""
) -> tuple[tuple[str, ...], ...]:
    """Without words: of the facets chosen those that so many listings have that it is quicker to look at rows
    until enough do."""
    each_facet = codes(chosen, at=at, besides=besides)
    return tuple(
        tuple(each) for each in each_facet if _is_common(each, words) and not each[0].startswith(RELEASED)
    )


def _is_common(values: Sequence[str], words: Vocabulary) -> bool:
    return sum(words.listings.get(value, 0) for value in values) > words.total / OFTEN


def _besides(ask: Ask, strict: tuple[Matched, ...], chosen: Chosen, words: Vocabulary) -> dict[str, Ask]:
    """What else could be chosen of each facet: asked as if nothing of it were."""
    return {
        name: msgspec.structs.replace(
            ask,
            tiers=(
                msgspec.structs.replace(
                    _tiers(strict, chosen, words, at=ask.at, besides=name)[-1], most=CANDIDATES
                ),
            ),
            since=released_since(chosen, ask.at, besides=name),
            after=FIRST,
            narrowing=() if strict else _looked_at(chosen, words, at=ask.at, besides=name),
        )
        for name in chosen
    }


def _most(beside: Mapping[str, int], counted: Mapping[str, int]) -> Mapping[str, int]:
    """What else could be chosen was counted where nothing is lacking; what is chosen, where it is shown."""
    return {value: max(beside.get(value, 0), counted.get(value, 0)) for value in {**beside, **counted}}


def _counted(row: Any) -> dict[str, Mapping[str, int]]:
    """Facet → value → listings."""
    found: dict[str, dict[str, int]] = {}
    for code, listings in row.facets.items():
        name, _, value = code.partition(":")
        found.setdefault(name, {})[value] = listings
    return {**found, FRESHNESS: _fresh(row.fresh)}


def _besides_of(row: Any) -> dict[str, Mapping[str, int]]:
    """The same of what else could be chosen."""
    return {
        name: _fresh(codes) if name == FRESHNESS else {code.partition(":")[2]: n for code, n in codes.items()}
        for name, codes in row.besides.items()
    }


def _fresh(counted: Mapping[str, int]) -> Mapping[str, int]:
    return {value: listings for value, listings in counted.items() if listings}


def _bounded(chosen: Chosen) -> Chosen:
    left = CHOICES
    kept = {}
    for name, values in chosen.items():
        legible = tuple(_legible(value) for value in values[:left])
        if legible:
            kept[name] = legible
            left -= len(legible)
    return kept


def _legible(value: str) -> str:
    """As PostgreSQL takes it; no listing has a longer one."""
    return value[:VALUE_CHARACTERS].encode("utf-8", "ignore").decode().replace("\x00", "")
