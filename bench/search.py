"""How long a search of a big catalogue takes, beside plain `tsvector` ranking of its texts; cost of a listing.

`BENCH_LISTINGS` listings (20,000 unless told; the goal is for 1,000,000): 5,000 that differ, of the words of
`listings_of_viet_nam`, copied with a number of its own until there are so many.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import time
import uuid
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
import psycopg
from sqlalchemy import text

from bench.figure import figure, quantile
from bench.home import fresh_home
from bench.listings_of_viet_nam import many
from bench.questions_of_viet_nam import QUESTIONS
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database, migration_url
from marketplace.search.facets import Chosen
from marketplace.search.indexing import count_words, put_listing
from marketplace.search.lexemes import SHARES, Listing, entry_of
from marketplace.search.ranking import find

LISTINGS = int(os.environ.get("BENCH_LISTINGS", "20000"))
DIFFERENT = 5_000
GOAL_MS = 20.0
WRITES = 100
_PLAIN = "create table plain (id uuid primary key, words tsvector)"
_FIRST = """
create temporary table first (words tsvector, words_1 tsvector, words_2 tsvector, words_3 tsvector, facets text[],
    title_words smallint, released_at timestamptz)
"""
_COPY = """
insert into listing_search (listing_id, words, facets, title_words, released_at, edition)
select id, case when byte % :share_3 = 0 then words_3 when byte % :share_2 = 0 then words_2
        when byte % :share_1 = 0 then words_1 else words end
        || array_to_tsvector(array['b' || :round || 'n' || number % 5000]),
    facets, title_words, released_at, ''
from (select *, get_byte(uuid_send(id), 15) as byte from (
    select *, uuidv7() as id, row_number() over () as number from (select * from first limit :most) as taken
) as numbered offset 0) as copied order by random()
"""
_COPY_PLAIN = (
    "insert into plain select uuidv7(), words from (select * from plain order by id limit :most) as first"
)
_ASK_PLAIN = text("""
select id from plain, plainto_tsquery('simple', :q) as q where words @@ q
    order by ts_rank(words, q) desc, id limit 20
""")
CHOSEN: tuple[Chosen, ...] = (
    {}, {}, {}, {"province": ("hai-phong",)}, {"theme": ("y tế",)},
    {"price": ("free", "1000"), "freshness": ("year",)},
)  # fmt: skip


async def figures() -> list[dict[str, Any]]:
    """Every judged question, some with facets, and words that stand in nearly every listing."""
    async with fresh_home(connections=2) as (config, database):
        await asyncio.to_thread(_load, migration_url(config))
        async with database.session() as session:
            await count_words(session)
        return await _measure(database)


async def _measure(database: Database) -> list[dict[str, Any]]:
    asked = [judged.q for judged in QUESTIONS["judged"]]
    common = ["tỉnh", "dữ liệu", "nam", "province", "nhóm tuổi", "giới tính nữ", "y tế bảo hiểm tỉnh", ""]
    for q in asked[:20]:
        await _ask(database, q, {})
    took = [await _ask(database, q, CHOSEN[at % len(CHOSEN)]) for at, q in enumerate([*asked, *common])]
    frequent = [await _ask(database, q, {}) for q in common for _ in range(3)]
    plain = [await _ask_plain(database, q) for q in [*asked, *common]]
    listings = list(islice(many(WRITES, seed=99), WRITES))
    writes = [await _write(database, each) for each in listings]
    named = f"{LISTINGS:,} listings"
    return [
        figure(f"search: p95 in {named}, facets counted", quantile(took, 0.95), "ms", n=len(took), goal=GOAL_MS),
        figure(f"search: mean in {named}, beside plain tsvector ranking", statistics.fmean(took), "ms",
               n=len(took), baseline=statistics.fmean(plain)),
        figure(f"search: p95 of plain tsvector ranking in {named}", quantile(plain, 0.95), "ms", n=len(plain)),
        figure(f"search: the slowest of {named}", max(took), "ms", n=len(took)),
        figure(f"search: words of nearly every one of {named}, p95", quantile(frequent, 0.95), "ms",
               n=len(frequent), goal=GOAL_MS),
        figure(f"search: to list one more in {named}", statistics.median(writes), "ms", n=WRITES),
    ]  # fmt: skip


async def _ask(database: Database, q: str, chosen: Chosen) -> float:
    async with database.session() as session:
        await session.execute(text("select 1"))
        began = time.perf_counter()
        await find(session, q, at=utcnow(), limit=21, chosen=chosen)
        took = 1000 * (time.perf_counter() - began)
    if os.environ.get("BENCH_SHOW") and took > GOAL_MS / 2:
        print(f"{took:.1f} ms {q!r} {dict(chosen)}", flush=True)
    return took


async def _ask_plain(database: Database, q: str) -> float:
    async with database.session() as session:
        await session.execute(text("select 1"))
        began = time.perf_counter()
        await session.execute(_ASK_PLAIN, {"q": q})
        return 1000 * (time.perf_counter() - began)


async def _write(database: Database, listing: Listing) -> float:
    began = time.perf_counter()
    async with database.session() as session:
        await put_listing(session, listing)
    return 1000 * (time.perf_counter() - began)


def _load(url: str) -> None:
    """Rows first, indexes after: what is measured of writing is measured with them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set maintenance_work_mem = '1GB'")
        connection.execute("set synchronous_commit = off")
        connection.execute("drop index ix_listing_search_words, ix_listing_search_edition")
        connection.execute(_PLAIN)
        first = list(many(min(LISTINGS, DIFFERENT)))
        _put_first(connection, first)
        for number in range(-(-LISTINGS // DIFFERENT)):
            told = {"round": number, "most": min(DIFFERENT, LISTINGS - number * DIFFERENT)}
            told |= {f"share_{level}": share for level, share in enumerate(SHARES)}
            for sql in (_COPY, _COPY_PLAIN)[: 2 if number else 1]:
                connection.execute(_filled(sql, told))
        connection.execute("create index ix_listing_search_words on listing_search using gin (words) "
                           "with (fastupdate = off)")  # fmt: skip
        connection.execute("create index ix_listing_search_edition on listing_search (edition)")
        connection.execute("create index plain_words on plain using gin (words)")
        connection.execute("grant select on plain to public")
        connection.execute("vacuum analyze listing_search")
        connection.execute("vacuum analyze plain")


def _filled(sql: str, told: Mapping[str, int]) -> str:
    return re.sub(r":(\w+)", lambda found: str(told[found[1]]), sql)


def _put_first(connection: psycopg.Connection[Any], listings: Sequence[Listing]) -> None:
    lexemes: set[str] = set()
    rows: list[tuple[Any, ...]] = []
    plain: list[tuple[Any, ...]] = []
    connection.execute(_FIRST)
    with connection.transaction(), connection.cursor() as cursor:
        for each in listings:
            # As it is in no sample, in the first, in the first two, in all.
            entries = [entry_of(msgspec.structs.replace(each, id=uuid.UUID(int=n))) for n in (1, *SHARES[1:])]
            entry = entries[0]
            lexemes |= entry.lexemes
            words = (each.words for each in entries)
            rows.append((*words, list(entry.facets), entry.title_words, each.released_at))
            said = " ".join((*each.names, *each.texts, *each.themes, each.owner_name, *_columns(each)))
            plain.append((new_id(), said))
        cursor.executemany("insert into first values (%s, %s, %s, %s, %s, %s, %s)", rows)
        cursor.executemany("insert into plain values (%s, to_tsvector('simple', %s))", plain)
        cursor.executemany("insert into search_word (word) values (%s)", [(each,) for each in sorted(lexemes)])


def _columns(listing: Listing) -> list[str]:
    return [part for column in listing.columns for part in (column.name, *column.meanings)]
