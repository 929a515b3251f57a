"""Keeps the index: a listing's row is written in the transaction that changes it; words are counted later."""

from __future__ import annotations

import uuid

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.terms import concepts
from marketplace.search.lexemes import FORM, Listing, entry_of
from marketplace.search.models import ListingSearch

SAMPLE_LISTINGS = 20_000
"""Words are counted in about so many; in fewer listings exactly."""
TOTAL = ""
"""The "word" that stands in every listing."""
_PUT = text("""
with put as (
    insert into listing_search (listing_id, words, facets, title_words, released_at, edition)
    values (:id, cast(:words as tsvector), :facets, :title_words, :released_at, :edition)
    on conflict (listing_id) do update set words = excluded.words, facets = excluded.facets,
        title_words = excluded.title_words, released_at = excluded.released_at, edition = excluded.edition
)
insert into search_word (word)
select word from unnest(cast(:lexemes as text[])) as found (word)
where not exists (select from search_word where search_word.word = found.word collate "C")
order by word on conflict do nothing
""")
_SIZE = text(
    "select cast(greatest(reltuples, 0) as bigint) from pg_class where oid = cast('listing_search' as regclass)"
)
_COUNT = """
insert into search_word (word, listings)
select word, cast(ndoc / {share} as bigint) from ts_stat($$select words from listing_search {sample}$$)
where word !~ '^!' and (word !~ '[A-Z]' or word ~ ':')
union all select '', (select cast(count(*) / {share} as bigint) from listing_search {sample})
order by 1
on conflict (word) do update set listings = excluded.listings where search_word.listings <> excluded.listings
"""


def edition() -> str:
    """Of rows as they are written now: changes with the synonyms and with what a row holds."""
    return f"{concepts.edition()}.{FORM}"


async def put_listing(session: AsyncSession, listing: Listing) -> None:
    """Find it from now on by what it says now."""
    entry = entry_of(listing)
    row = {
        "id": listing.id,
        "words": entry.words,
        "lexemes": sorted(entry.lexemes),
        "facets": list(entry.facets),
        "title_words": entry.title_words,
        "released_at": listing.released_at,
        "edition": edition(),
    }
    await session.execute(_PUT, row)


async def drop_listing(session: AsyncSession, listing_id: uuid.UUID) -> None:
    """It is found no more."""
    await session.execute(delete(ListingSearch).where(ListingSearch.listing_id == listing_id))


async def count_words(session: AsyncSession) -> None:
    """In how many listings each word stands: of many, by a sample of whole pages, the same each time."""
    size = await session.scalar(_SIZE) or 0
    share = min(1.0, SAMPLE_LISTINGS / max(size, 1))
    sample = "" if share == 1 else f"tablesample system ({share * 100:f}) repeatable (1)"
    await session.execute(text(_COUNT.format(share=share, sample=sample)))
