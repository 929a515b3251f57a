"""What the words of a question are among the words of the listings: known, begun, or mistyped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.terms.concepts import related
from marketplace.search.indexing import TOTAL
from marketplace.search.lexemes import EVERYWHERE, TITLE
from marketplace.search.mistyped import Repaired, repaired
from marketplace.search.question import Question, Unit, parts_of

COMPLETIONS: Final = 12
TRIES: Final = 4
"""Unknown words that are mended; with more of them it is no question of ours."""
_LOOK_UP = text("""
with begun as materialized (
    select opening, word, listings, number
    from unnest(cast(:openings as text[]), cast(:beyond as text[])) as asked (opening, beyond)
    cross join lateral (
        select word, listings, row_number() over (order by listings desc, length(word), word) as number
        from search_word
        where word >= opening collate "C" and word < beyond collate "C" and word ~ '^[0-9a-z]+$'
        order by number limit :most
    ) as found
)
select word, listings, '' as opening, 0 as number from search_word where word = any(cast(:words as text[]))
union all select word, listings, opening, number from begun
union all select titled.word, titled.listings, '', 0 from begun
    join search_word as titled on titled.word = '^' || begun.word collate "C"
union all select concat(set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
    set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('pg_trgm.similarity_threshold', '0.42', true),
    set_config('max_parallel_workers_per_gather', '0', true)), 0, null, 0
order by number
""")
"""One statement, for each costs more than what it does. It ends with how the rest of the transaction is planned: a
bounded search is a search by the index, whatever the planner thinks of `limit`."""


class Found(Struct, frozen=True):
    """What stands for one word."""

    known: bool
    begun: tuple[str, ...] = ()
    repaired: Repaired = ()


class Vocabulary(Struct, frozen=True):
    """`listings`: lexeme → in how many; `found`: folded word of the question → what stands for it."""

    listings: Mapping[str, int]
    found: Mapping[str, Found]

    @property
    def total(self) -> int:
        return max(self.listings.get(TOTAL, 1), 1)


async def look_up(session: AsyncSession, question: Question, facets: Sequence[str]) -> Vocabulary:
    """Look every word up; those that no listing has are completed or mended."""
    words = dict.fromkeys(word.folded for word in question.words)
    said = [concept for unit in question.units for concept in _spoken(unit)]
    concepts = [each for concept in dict.fromkeys(said) for each in (concept, *related().get(concept, ()))]
    openings = {unit.words[-1].folded for unit in question.units if unit.open}
    first = [TOTAL, EVERYWHERE, *facets, *_with_titles([*words, *concepts])]
    listings, begun = await _looked_up(session, first, [word for word in words if word in openings])
    # What has a meaning is no mistake, though no listing speaks of it; nor is what all say.
    meant = {word.folded for unit in question.units if unit.concepts or unit.weak for word in unit.words}
    unknown = [word for word in words if word not in listings and word not in meant]
    tried = unknown[:TRIES]
    more, also = await _looked_up(session, (), [each for each in tried if each not in openings])
    listings |= more
    begun |= also
    repairs: Mapping[str, Repaired] = {}
    if tried:
        going_on = {word for word in tried if begun.get(word)}
        spelled = question.spelled
        as_typed = {word: spelled.get(word, word) for word in tried}
        repairs = await repaired(session, as_typed, listings, initials_only=going_on)
    found = {}
    for word in words:
        instead = repairs.get(word, ())
        found[word] = Found(word not in unknown, () if instead else begun.get(word, ()), instead)
    return Vocabulary(listings, found)


def _spoken(unit: Unit) -> list[str]:
    return [concept for each in (unit, *parts_of(unit)) for concept in each.concepts]


def _with_titles(lexemes: Iterable[str]) -> list[str]:
    return [each for lexeme in lexemes for each in (lexeme, TITLE + lexeme)]


async def _looked_up(
    session: AsyncSession, words: Sequence[str], openings: Sequence[str]
) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """In how many listings words are, and what begins with the openings, the commonest first."""
    openings = [word for word in openings if len(word) > 1]
    if not words and not openings:
        return {}, {}
    beyond = [word[:-1] + chr(ord(word[-1]) + 1) for word in openings]
    asked = {"words": list(words), "openings": openings, "beyond": beyond, "most": COMPLETIONS + 1}
    rows = [row for row in await session.execute(_LOOK_UP, asked) if row.opening is not None]
    begun = {
        opening: tuple(row.word for row in rows if row.opening == opening and row.word != opening)[:COMPLETIONS]
        for opening in openings
    }
    return {row.word: row.listings for row in rows}, begun
