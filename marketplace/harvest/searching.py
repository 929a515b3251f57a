"""External listings by what they say: an index as the own ones have, of which some `CANDIDATES` are ranked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import utcnow
from marketplace.harvest.models import ExternalListing
from marketplace.search.indexing import edition
from marketplace.search.lexemes import TITLE, Column, Listing, entry_of
from marketplace.search.matching import either, every, quoted, signed
from marketplace.search.question import Unit, read_question
from marketplace.search.statement import CANDIDATES

BEGINNING: Final = 3
"""Characters with which a word may begin that goes on: fewer begin so many that all their postings take long."""
_NOT_SAMPLED: Final = uuid.UUID(int=1)
_THERE: Final = "vanished_at is null and source_id in (select id from harvest_source where due_at is not null)"
_FIND = text(f"""
with found as (
    select distinct on (id) id, words from (
        (select id, words from external_listing where words @@ cast(:titles as tsquery) and {_THERE}
            limit {CANDIDATES})
        union all
        (select id, words from external_listing where words @@ cast(:query as tsquery) and {_THERE}
            limit {CANDIDATES})
    ) as each
)
select id, score from (
    select id, cast(ts_rank('{{0.1, 0.3, 0.6, 1}}', words, cast(:query as tsquery))
        + ts_rank('{{0.1, 0.3, 0.6, 1}}', words, cast(:exact as tsquery)) as float8) as score
    from found
) as ranked
where (score, id) < (cast(:score as float8), cast(:id as uuid)) order by score desc, id desc limit :limit
""")


class Ranked(Struct, frozen=True):
    score: float
    id: UUID


async def find_external(session: AsyncSession, q: str, *, after: Ranked, limit: int) -> list[Ranked]:
    """The best after `after`: those that have every word, or what means the same; none that vanished or whose
    source was stopped. Empty where `q` has no word."""
    units = read_question(q).required
    if not units:
        return []
    query = every(map(_said, units))
    exact = either(quoted(word.exact or word.folded) for unit in units for word in unit.words)
    rows = await session.execute(
        _FIND,
        {
            "query": query,
            "titles": signed(query, TITLE).replace("<->", "&"),
            "exact": exact,
            "score": after.score,
            "id": after.id,
            "limit": limit,
        },
    )
    return [Ranked(row.score, row.id) for row in rows]


def _said(unit: Unit) -> str:
    """Its words side by side where they are a phrase; the last one may go on."""
    words = [quoted(word.folded) for word in unit.words]
    if unit.open and not unit.quoted and len(unit.words[-1].folded) >= BEGINNING:
        words[-1] += ":*"
    return either([f"({' <-> '.join(words)})", *map(quoted, unit.concepts)])


def words_of(
    *, title: str, description: str, publisher: str, themes: Sequence[str], formats: Sequence[str], spatial: str
) -> str:
    """The text of the tsvector of an external listing."""
    said = Listing(
        id=_NOT_SAMPLED,
        names=(title,),
        texts=(description,),
        themes=tuple(themes),
        owner_name=publisher,
        owner_slug="",
        spatial=spatial,
        licence="",
        purposes=(),
        columns=tuple(Column(each, ()) for each in formats),
        state_class=None,
        price_vnd=None,
        released_at=utcnow(),
    )
    return entry_of(said).words


async def read_anew(session: AsyncSession, *, most: int) -> int:
    """Listings that were read by other synonyms than today's; how many there were."""
    old = (
        select(ExternalListing)
        .where(ExternalListing.edition != edition())
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.scalars(old)).all()
    for row in rows:
        words = words_of(
            title=row.title,
            description=row.description,
            publisher=row.publisher,
            themes=row.themes,
            formats=row.formats,
            spatial=row.spatial,
        )
        changed = {"words": words, "edition": edition()}
        await session.execute(update(ExternalListing).where(ExternalListing.id == row.id).values(changed))
    return len(rows)
