"""What unknown words of a question may have been, of the words that listings have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.terms.concepts import phrases_by_initials
from catalog.terms.tokens import forms
from marketplace.search.spelling import SYLLABLE_CHARACTERS, distance, near, parts, split, untyped

REPAIRS: Final = 3
RARE: Final = 1_000
"""Listings; a commoner word stands in some, whatever was taken from the catalogue since they were counted."""
Repaired = tuple[tuple[str, ...], ...]
"""Each of one word or several: "danso" is two. With marks where they are known."""
_VOWEL: Final = re.compile(r"[aeiouy0-9]")
_KNOWN = text("select word, listings from search_word where word = any(cast(:words as text[]))")
_THERE = text("""
select word from unnest(cast(:words as text[])) as word
where exists (select from listing_search where words @@ cast('''' || word || '''' as tsquery))
""")
_ALIKE = text("""
select asked, word, listings from unnest(cast(:words as text[])) as asked
cross join lateral (
    select word, listings, similarity(word, asked) as alike from search_word
    where word % asked and word ~ '^[a-z][0-9a-z]{3,}$' order by alike desc, listings desc, word limit 40
) as found order by asked, alike desc, listings desc, word
""")


async def repaired(
    session: AsyncSession, words: Mapping[str, str], listings: dict[str, int], *, initials_only: Set[str]
) -> dict[str, Repaired]:
    """The nearest for each of `words` (folded → as it was typed): initials written out ("gv"), those of the most
    listings first, and but for some: typed without the input method, one letter off, run together, alike in
    trigrams. None that only a listing had which is withdrawn. `listings` learns in how many each stands."""
    phrases = {word: () if _VOWEL.search(word) else phrases_by_initials().get(word, ()) for word in words}
    alone = [word for word in words if word not in initials_only]
    typed = {word: made for word in alone if (made := untyped(words[word]))}
    tried = [word for word in alone if len(word) >= 3 and not word.isdigit()]
    wanted = {concept for each in phrases.values() for concept, _ in each}
    wanted.update(*(_tried(word) for word in tried), (forms(each)[0] for each in typed.values()))
    rows = await session.execute(_KNOWN, {"words": sorted(wanted)})
    known = {row.word: row.listings for row in rows}
    listings.update(known)
    # Where one word was typed so, its neighbours were, though no listing has them: a phrase may have a meaning.
    as_syllables = any(forms(each)[0] in known for each in typed.values())
    found: dict[str, Repaired] = {}
    for word in words:
        there = sorted((each for each in phrases[word] if each[0] in known), key=lambda each: -known[each[0]])
        if there:
            found[word] = tuple(said for _, said in there[:REPAIRS])
        elif as_syllables and word in typed:
            found[word] = ((typed[word],),)
    beside = await _near_by(session, [word for word in tried if word not in found], known, listings)
    return found | await _that_are_there(session, beside, listings)


def _tried(word: str) -> set[str]:
    return parts(word) | (near(word) if len(word) <= SYLLABLE_CHARACTERS + 1 else set())


async def _near_by(
    session: AsyncSession, words: Sequence[str], known: Mapping[str, int], listings: dict[str, int]
) -> dict[str, Repaired]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for word in words:
        beside = near(word) & known.keys() if len(word) <= SYLLABLE_CHARACTERS + 1 else set()
        found[word] = [(each,) for each in sorted(beside, key=lambda each: (-known[each], each))]
        if len(word) > 4 and (run_together := split(word, known)):
            found[word].insert(1 if beside else 0, run_together)
    sought = [word for word in words if len(word) >= 5 and len(found[word]) < REPAIRS]
    for row in await session.execute(_ALIKE, {"words": sought}) if sought else ():
        most = 1 if len(row.asked) < 6 else 2 if len(row.asked) < 10 else 3
        if distance(row.asked, row.word, most) <= most and (row.word,) not in found[row.asked]:
            listings[row.word] = row.listings
            found[row.asked].append((row.word,))
    return {word: tuple(each[: 2 * REPAIRS]) for word, each in found.items()}


async def _that_are_there(
    session: AsyncSession, found: Mapping[str, Repaired], listings: Mapping[str, int]
) -> dict[str, Repaired]:
    said = {word for each in found.values() for words in each for word in words}
    rare = sorted(word for word in said if listings.get(word, 0) < RARE)
    gone = set(rare) - set(await session.scalars(_THERE, {"words": rare})) if rare else set()
    return {
        word: tuple(words for words in each if gone.isdisjoint(words))[:REPAIRS] for word, each in found.items()
    }
