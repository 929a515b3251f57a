"""What the words of a question are among the words of the listings: known, begun, or mistyped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.terms.concepts import phrases_by_initials, related
from marketplace.search.indexing import TOTAL
from marketplace.search.lexemes import TITLE
from marketplace.search.question import Question, Unit, parts_of

COMPLETIONS: Final = 12
REPAIRS: Final = 3
TRIES: Final = 4
"""Unknown words that are mended; with more of them it is no question of ours."""
RARE: Final = 1_000
"""Listings; a commoner word stands in some, whatever was taken from the catalogue since they were counted."""
SYLLABLE: Final = 7
"""Characters of the longest syllable ("nghieng")."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_VOWEL: Final = re.compile(r"[aeiouy0-9]")
_KNOWN = text("select word, listings from search_word where word = any(cast(:words as text[]))")
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
_THERE = text("""
select word from unnest(cast(:words as text[])) as word
where exists (select from listing_search where words @@ cast('''' || word || '''' as tsquery))
""")
_ALIKE = text("""
select word, listings, similarity(word, :word) as alike from search_word
where word % :word and word ~ '^[0-9a-z]+$' order by alike desc, listings desc, word limit 40
""")


class Found(Struct, frozen=True):
    """What stands for one word. `repaired` holds one or more words each: "danso" is two."""

    known: bool
    begun: tuple[str, ...] = ()
    repaired: tuple[tuple[str, ...], ...] = ()


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
    first = [TOTAL, *facets, *_with_titles([*words, *concepts])]
    listings, begun = await _looked_up(session, first, [word for word in words if word in openings])
    # What has a meaning is no mistake, though no listing speaks of it; nor is what all say.
    meant = {word.folded for unit in question.units if unit.concepts or unit.weak for word in unit.words}
    unknown = [word for word in words if word not in listings and word not in meant]
    more, also = await _looked_up(session, (), [each for each in unknown if each not in openings][:TRIES])
    listings |= more
    begun |= also
    found: dict[str, Found] = {}
    for word in words:
        known = word not in unknown
        tried = word in unknown[:TRIES]
        short = await _written_out(session, word, listings) if tried else ()
        goes_on = () if short else begun.get(word, ())
        repaired = short or (await _repaired(session, word, listings) if tried and not goes_on else ())
        found[word] = Found(known, goes_on, repaired)
    seen = [word for each in found.values() for word in sum(each.repaired, ())]
    listings |= await _known(session, _with_titles(seen)) if seen else {}
    return Vocabulary(listings, found)


def _spoken(unit: Unit) -> list[str]:
    return [concept for each in (unit, *parts_of(unit)) for concept in each.concepts]


async def _written_out(session: AsyncSession, word: str, listings: dict[str, int]) -> tuple[tuple[str, ...], ...]:
    """Of initials ("gv") the phrases that listings speak of ("giáo viên"), those of the most first. What has a
    vowel is taken for a word."""
    phrases = () if _VOWEL.search(word) else phrases_by_initials().get(word, ())
    known = await _known(session, [concept for concept, _ in phrases]) if phrases else {}
    listings.update(known)
    there = sorted((each for each in phrases if each[0] in known), key=lambda each: -known[each[0]])
    return tuple(said for _, said in there[:REPAIRS])


def _with_titles(lexemes: Iterable[str]) -> list[str]:
    return [each for lexeme in lexemes for each in (lexeme, TITLE + lexeme)]


async def _known(session: AsyncSession, words: Sequence[str]) -> dict[str, int]:
    rows = await session.execute(_KNOWN, {"words": list(words)})
    return {row.word: row.listings for row in rows}


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


async def _repaired(session: AsyncSession, word: str, listings: dict[str, int]) -> tuple[tuple[str, ...], ...]:
    """The nearest words: as typed on another keyboard, one letter off, written together, or alike in trigrams.
    None that only a listing had which is withdrawn."""
    if len(word) < 3 or word.isdigit():
        return ()
    near = await _near_by(session, word, listings)
    rare = {each for words in near for each in words if listings.get(each, 0) < RARE}
    there = set(await session.scalars(_THERE, {"words": sorted(rare)})) if rare else set()
    return tuple(words for words in near if all(each in there or each not in rare for each in words))[:REPAIRS]


async def _near_by(session: AsyncSession, word: str, listings: dict[str, int]) -> tuple[tuple[str, ...], ...]:
    near = _near(word) if len(word) <= SYLLABLE + 1 else set()
    telex = _untyped(word)
    parts = {word[a:b] for a in range(len(word)) for b in range(a + 2, min(len(word), a + SYLLABLE) + 1)}
    known = await _known(session, [*near, *telex, *parts])
    listings.update(known)
    typed = [(each,) for each in telex if each in known]
    if typed:
        return tuple(typed)
    found: list[tuple[str, ...]] = [
        (each,) for each in sorted(near & known.keys(), key=lambda each: (-known[each], each))
    ]
    if len(word) > 4 and (split := _split(word, known)):
        found.insert(0 if not found else 1, split)
    if len(word) >= 5 and len(found) < REPAIRS:
        rows = await session.execute(_ALIKE, {"word": word})
        most = 1 if len(word) < 6 else 2 if len(word) < 10 else 3
        alike = [row for row in rows if _distance(word, row.word, most) <= most and (row.word,) not in found]
        listings.update({row.word: row.listings for row in alike})
        found += [(row.word,) for row in alike]
    return tuple(found[: 2 * REPAIRS])


def _untyped(word: str) -> list[str]:
    """Telex and VNI as they stand where no input method was on: daan soos, da6n so61."""
    made = []
    if re.search(r"[a-z]", word) and re.search(r"[1-9]", word):
        made.append(re.sub(r"[1-9]", "", word))
    vowels = re.sub(r"(aa|ee|oo|dd)", lambda m: m[0][0], word)
    vowels = re.sub(r"(?<=[aou])w|(?<=[aou][a-z])w|(?<=[aou][a-z]{2})w", "", vowels)
    bare = re.sub(r"(?<=[aeiouy])([a-z]{0,3}?)[sfrxj](?=[a-z]{0,3}$)", r"\1", vowels, count=1)
    bare = re.sub(r"(aa|ee|oo|dd)", lambda m: m[0][0], bare)
    made += [each for each in (bare, vowels) if each != word]
    return [each for each in dict.fromkeys(made) if len(each) > 1]


def _near(word: str) -> set[str]:
    """All that is one letter left out, put in, changed or exchanged with its neighbour."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    made = {head + tail[1:] for head, tail in cuts if tail}
    made |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    if len(word) > 3:
        made |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in _LETTERS}
        made |= {head + letter + tail for head, tail in cuts for letter in _LETTERS}
    return {each for each in made if len(each) > 1} - {word}


def _split(word: str, known: Mapping[str, int]) -> tuple[str, ...] | None:
    """Into the fewest words that there are, the commonest first; at most six."""
    best: list[tuple[int, int, tuple[str, ...]] | None] = [None] * (len(word) + 1)
    best[0] = (0, 0, ())
    for end in range(2, len(word) + 1):
        for start in range(max(0, end - SYLLABLE), end - 1):
            before, part = best[start], word[start:end]
            if before is None or part not in known:
                continue
            made = (before[0] + 1, min(before[1], -known[part]), (*before[2], part))
            if best[end] is None or made < best[end]:  # type: ignore[operator]
                best[end] = made
    found = best[-1]
    return found[2] if found and 1 < found[0] <= 6 else None


def _distance(left: str, right: str, most: int) -> int:
    """Letters put in, left out, changed, or exchanged with a neighbour; beyond `most` only that it is more."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    rows = [list(range(len(right) + 1))]
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
